use std::fs;

use auth::Username;
use tempfile::TempDir;

use super::*;
use crate::{
    Blob, BlobId, FileId, Filename, Revision, RevisionKind,
    history::Author,
    testing::{MemoryStore, clock, git, realm, text},
};

struct Fixture {
    data: TempDir,
    store: MemoryStore,
    vault: Realm,
}

impl Fixture {
    fn new() -> Self {
        let vault = realm("main");
        Self {
            data: tempfile::tempdir().unwrap(),
            store: MemoryStore::with_vault(&vault),
            vault,
        }
    }

    fn start(&self) -> Deriver<MemoryStore> {
        Deriver::start(self.store.clone(), self.data.path().to_owned()).unwrap()
    }

    fn repository(&self) -> PathBuf {
        self.data.path().join("main.git")
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.repository(), arguments)
    }

    fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    fn commits(&self) -> usize {
        self.git(&["rev-list", "--count", "HEAD"])
            .trim()
            .parse()
            .unwrap()
    }

    fn object(&self, id: &str) -> PathBuf {
        self.repository()
            .join("objects")
            .join(&id[..2])
            .join(&id[2..])
    }

    /// Waits without a limit; a rebuild answers before it is complete.
    async fn derive(&self, deriver: &Deriver<MemoryStore>, changes: usize) {
        let branch = self.repository().join("refs/heads/main");
        deriver.derived(&self.vault, 0).await;
        while !branch.exists() || self.commits() < changes {
            deriver
                .derived(&self.vault, i64::try_from(changes).unwrap())
                .await;
        }
    }

    /// Adds the row of a change; returns its number.
    fn record(&self, name: &str, comment: &str) -> i64 {
        let mut change = 0;
        self.store.tamper(&self.vault.id, |rows| {
            change = i64::try_from(rows.revisions.len()).unwrap() + 1;
            rows.revisions.push(revision(change, name, comment));
        });
        change
    }

    /// The changes recorded as durable.
    fn recorded(&self) -> Vec<i64> {
        let mut changes = Vec::new();
        self.store.tamper(&self.vault.id, |rows| {
            changes = rows.commits.iter().map(|commit| commit.change).collect();
        });
        changes.sort_unstable();
        changes
    }

    fn sound(&self) {
        assert_eq!(
            self.git(&["fsck", "--strict", "--no-dangling", "--no-progress"]),
            ""
        );
    }
}

fn revision(change: i64, name: &str, comment: &str) -> Revision {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &change.to_be_bytes());
    Revision {
        file: FileId::new("f"),
        revision: 1,
        change,
        kind: RevisionKind::Added,
        name: Filename::from_stored(name),
        moved_from: None,
        blob: Some(Blob {
            id: BlobId::of_digest(digest.as_ref()),
            size: change.unsigned_abs(),
        }),
        author: Author {
            username: Username::parse("ada").unwrap(),
            name: "Ada <Lovelace>\n".into(),
            email: "ada@example.org".into(),
        },
        at: clock().now(),
        comment: text(comment),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn derived_commit_ids_are_stable() {
    let fixture = Fixture::new();
    let deriver = fixture.start();
    deriver
        .derived(&fixture.vault, fixture.record("fixtures/vise.step", ""))
        .await;
    deriver
        .derived(
            &fixture.vault,
            fixture.record("Größe.step", "Zeile\r\nzwei\n\n"),
        )
        .await;
    // A fixed hash, so that a dependency that changes one byte is noticed: every clone would
    // diverge from its origin.
    assert_eq!(fixture.head(), "4dab5751cad581674ec03f916c425c9a7d770699\n");
    let shown = fixture.git(&["cat-file", "commit", "HEAD"]);
    assert!(
        shown.contains("author Ada Lovelace <ada@example.org> 1795000000 +0000\n"),
        "{shown}"
    );
    assert!(shown.ends_with("\n\nZeile\nzwei\n"), "{shown}");
    fixture.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_repository_is_rederived_without_touching_content() {
    let fixture = Fixture::new();
    let deriver = fixture.start();
    for n in 0..600 {
        fixture.record(&format!("folder{}/part{n}.step", n % 7), "");
    }
    fixture.derive(&deriver, 600).await;
    let head = fixture.head();
    deriver.close().await;
    assert_eq!(fixture.recorded(), (1..=600).collect::<Vec<_>>());
    let kept = fixture.repository().join("lfs/objects/aa/bb");
    fs::create_dir_all(&kept).unwrap();
    for part in [
        "HEAD",
        "config",
        "refs",
        "objects",
        "description",
        "info",
        "hooks",
    ] {
        let path = fixture.repository().join(part);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
    fixture.derive(&fixture.start(), 600).await;
    assert_eq!((fixture.head(), fixture.commits()), (head, 600));
    assert!(kept.exists());
    fixture.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn derivation_resumes_after_restart() {
    let fixture = Fixture::new();
    let first = fixture.start();
    first
        .derived(&fixture.vault, fixture.record("a.step", ""))
        .await;
    first.close().await;
    fixture.record("b.step", "");
    let second = fixture.start();
    second.begin(&fixture.vault);
    second.derived(&fixture.vault, 2).await;
    assert_eq!(fixture.commits(), 2);
    second.close().await;
    assert_eq!(fixture.recorded(), [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn partially_written_git_objects_are_rewritten() {
    let fixture = Fixture::new();
    let first = fixture.start();
    first
        .derived(&fixture.vault, fixture.record("a.step", ""))
        .await;
    first.close().await;
    let second = fixture.start();
    second
        .derived(&fixture.vault, fixture.record("b/c.step", ""))
        .await;
    let head = fixture.head();
    drop(second);
    // As after a crash: the second change is not recorded, its objects and the branch are empty,
    // and the branch is locked.
    fixture.store.tamper(&fixture.vault.id, |rows| {
        rows.commits.retain(|commit| commit.change == 1);
    });
    let objects = fixture.git(&[
        "rev-parse",
        "HEAD",
        "HEAD^{tree}",
        "HEAD:b",
        "HEAD:b/c.step",
    ]);
    for (n, id) in objects.lines().enumerate() {
        let path = fixture.object(id);
        fs::remove_file(&path).unwrap();
        fs::write(&path, if n % 2 == 0 { "" } else { "x\0half" }).unwrap();
    }
    for file in ["refs/heads/main", "config", "HEAD"] {
        fs::write(fixture.repository().join(file), "").unwrap();
    }
    fs::write(fixture.repository().join("refs/heads/main.lock"), "").unwrap();
    let third = fixture.start();
    third.derived(&fixture.vault, 2).await;
    assert_eq!(fixture.head(), head);
    fixture.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_recorded_commit_triggers_a_rebuild() {
    for what in ["HEAD", "HEAD^{tree}", "HEAD:folder"] {
        let fixture = Fixture::new();
        let first = fixture.start();
        first
            .derived(&fixture.vault, fixture.record("folder/a.step", ""))
            .await;
        first.close().await;
        let path = fixture.object(fixture.git(&["rev-parse", what]).trim());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
        let second = fixture.start();
        // The first attempt may find the damage, the next one repairs it.
        second
            .derived(&fixture.vault, fixture.record("folder/b.step", ""))
            .await;
        second
            .derived(&fixture.vault, fixture.record("folder/c.step", ""))
            .await;
        assert_eq!(fixture.commits(), 3, "{what}");
        fixture.sound();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_derivation_is_answered_and_retried_later() {
    let fixture = Fixture::new();
    let deriver = fixture.start();
    deriver
        .derived(&fixture.vault, fixture.record("a.step", ""))
        .await;
    // Simulates a full disk, also where tests run as root.
    let (objects, aside) = (
        fixture.repository().join("objects"),
        fixture.repository().join("objects-aside"),
    );
    fs::rename(&objects, &aside).unwrap();
    fs::write(&objects, "in the way").unwrap();
    let answered = tokio::time::timeout(
        DERIVE_TIMEOUT / 2,
        deriver.derived(&fixture.vault, fixture.record("b.step", "")),
    );
    answered.await.unwrap();
    fixture.store.lock().failing = true;
    deriver.derived(&fixture.vault, 3).await;
    fs::remove_file(&objects).unwrap();
    fs::rename(&aside, &objects).unwrap();
    assert_eq!(fixture.commits(), 1);
    assert!(!fixture.recorded().contains(&2));
    fixture.store.lock().failing = false;
    deriver
        .derived(&fixture.vault, fixture.record("c.step", ""))
        .await;
    assert_eq!(fixture.commits(), 3);
    fixture.sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_changes_are_derived_before_their_answers() {
    let fixture = Fixture::new();
    let deriver = fixture.start();
    let mut waiting = Vec::new();
    for n in 0..300 {
        let change = fixture.record(&format!("part{n}.step"), "");
        let (deriver, vault) = (deriver.clone(), fixture.vault.clone());
        waiting.push(tokio::spawn(async move {
            deriver.derived(&vault, change).await;
        }));
    }
    for answered in waiting {
        answered.await.unwrap();
    }
    assert_eq!(fixture.commits(), 300);
    deriver.close().await;
    assert_eq!(fixture.recorded().len(), 300);
    // Closed: no call waits forever.
    deriver
        .derived(&fixture.vault, fixture.record("late.step", ""))
        .await;
    fixture.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn derivation_handles_files_becoming_folders() {
    let fixture = Fixture::new();
    let deriver = fixture.start();
    fixture.record("a", "");
    fixture.store.tamper(&fixture.vault.id, |rows| {
        let moved = |change, from: &str, to: &str| Revision {
            kind: RevisionKind::Moved,
            moved_from: Some(Filename::from_stored(from)),
            ..revision(change, to, "")
        };
        rows.revisions.push(moved(2, "a", "a/b"));
        rows.revisions.push(moved(3, "a/b", "a"));
        rows.revisions.push(moved(4, "a", "A"));
        rows.revisions.push(Revision {
            kind: RevisionKind::Deleted,
            blob: None,
            ..revision(5, "A", "")
        });
    });
    deriver.derived(&fixture.vault, 5).await;
    let names = |commit: &str| fixture.git(&["ls-tree", "-r", "--name-only", commit]);
    assert_eq!(names("HEAD~4"), ".gitattributes\na\n");
    assert_eq!(names("HEAD~3"), ".gitattributes\na/b\n");
    assert_eq!(names("HEAD~2"), ".gitattributes\na\n");
    assert_eq!(names("HEAD~1"), ".gitattributes\nA\n");
    assert_eq!(names("HEAD"), ".gitattributes\n");
    fixture.sound();
}
