use auth::SecureRandom;
use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::{
    BlobUpload, Command, Filename, LocalBlobs, Operation, VaultId,
    git::derive::Deriver,
    testing::{MemoryStore, actor, clock, git, realm, text},
};

struct Fixture {
    data: TempDir,
    store: MemoryStore,
    blobs: LocalBlobs,
    vault: Realm,
}

impl Fixture {
    /// Three files, one with three revisions, all in git, and the server stopped.
    async fn stopped() -> Self {
        let data = tempfile::tempdir().unwrap();
        let vault = realm("main");
        let store = MemoryStore::with_vault(&vault);
        let fixture = Self {
            blobs: LocalBlobs::new(data.path().to_owned(), u64::MAX),
            data,
            store,
            vault,
        };
        fixture.add("vise.step", b"solid").await;
        fixture.add("fixtures/gear.mcam", b"gear").await;
        fixture.add("empty", b"").await;
        fixture
            .apply("vise.step", Operation::Delete { comment: text("") })
            .await;
        let blob = fixture.put(b"solid").await;
        let file = fixture
            .store
            .file_or_deleted(&fixture.vault.id, &Filename::from_stored("vise.step"))
            .await
            .unwrap()
            .unwrap()
            .id;
        fixture
            .apply(
                "vise.step",
                Operation::Restore {
                    file,
                    revision: 1,
                    blob,
                },
            )
            .await;
        fixture.derive().await;
        fixture
    }

    async fn derive(&self) {
        let deriver = Deriver::start(self.store.clone(), self.data.path().to_owned()).unwrap();
        deriver.derived(&self.vault, i64::MAX).await;
        deriver.close().await;
    }

    async fn put(&self, bytes: &'static [u8]) -> Blob {
        let mut upload = self.blobs.begin(&self.vault.name).await.unwrap();
        upload.write(Bytes::from_static(bytes)).await.unwrap();
        upload.finish().await.unwrap().blob
    }

    async fn add(&self, name: &str, bytes: &'static [u8]) {
        let blob = self.put(bytes).await;
        let id = crate::FileId::random(&SecureRandom::system());
        self.apply(
            name,
            Operation::Add {
                id,
                blob,
                comment: text(""),
            },
        )
        .await;
    }

    async fn apply(&self, name: &str, operation: Operation) {
        let command = Command {
            vault: VaultId::new("main"),
            file: Filename::from_stored(name),
            operation,
            by: actor("ada"),
            at: clock().now(),
            key: None,
        };
        self.store.apply(command).await.unwrap();
    }

    async fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let report = |finding: Finding| {
            findings.push(format!(
                "{}{finding}",
                if finding.is_error() { "" } else { "note: " }
            ));
        };
        verify(&self.store, &self.blobs, self.data.path(), report)
            .await
            .unwrap();
        findings
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.data.path().join("main.git"), arguments)
    }

    fn object(&self, blob: &Blob) -> std::path::PathBuf {
        let id = blob.id.as_str();
        self.data
            .path()
            .join("main.git/lfs/objects")
            .join(&id[..2])
            .join(&id[2..4])
            .join(id)
    }

    fn git_object(&self, what: &str) -> std::path::PathBuf {
        let id = self.git(&["rev-parse", what]);
        let path = self
            .data
            .path()
            .join("main.git/objects")
            .join(&id[..2])
            .join(id[2..].trim());
        assert!(path.exists());
        path
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn intact_data_folder_has_no_findings() {
    let fixture = Fixture::stopped().await;
    assert_eq!(fixture.findings().await, Vec::<String>::new());
    let summary = verify(&fixture.store, &fixture.blobs, fixture.data.path(), |_| ())
        .await
        .unwrap();
    assert_eq!(
        (
            summary.vaults,
            summary.files,
            summary.changes,
            summary.blobs
        ),
        (1, 3, 5, 3)
    );
    // Also after `git gc`.
    fixture.git(&["gc", "--quiet"]);
    assert_eq!(fixture.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_and_damaged_content_is_reported_per_revision() {
    let fixture = Fixture::stopped().await;
    let (solid, gear) = (fixture.put(b"solid").await, fixture.put(b"gear").await);
    std::fs::remove_file(fixture.object(&solid)).unwrap();
    std::fs::write(fixture.object(&gear), "bear").unwrap();
    assert_eq!(
        fixture.findings().await,
        [
            format!(
                "main: the content of vise.step, revision 1, is missing ({}).",
                solid.id
            ),
            format!(
                "main: the content of fixtures/gear.mcam, revision 1, is damaged ({}).",
                gear.id
            ),
            format!(
                "main: the content of vise.step, revision 3, is missing ({}).",
                solid.id
            ),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unreferenced_content_is_reported_as_note() {
    let fixture = Fixture::stopped().await;
    let stray = fixture.put(b"stray").await;
    assert_eq!(
        fixture.findings().await,
        [format!(
            "note: main: {} is stored but no revision refers to it.",
            stray.id
        )]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_or_outdated_repository_is_reported() {
    let fixture = Fixture::stopped().await;
    fixture.add("late.step", b"late").await;
    let behind =
        "note: main: git has 5 of 6 changes. The next start of the server derives the rest.";
    assert_eq!(fixture.findings().await, [behind]);
    fixture.derive().await;
    assert_eq!(fixture.findings().await, Vec::<String>::new());
    std::fs::remove_file(fixture.data.path().join("main.git/HEAD")).unwrap();
    let missing = "main: there is no git repository. The next start of the server recreates it.";
    assert_eq!(fixture.findings().await, [missing]);
    fixture.derive().await;
    assert_eq!(
        fixture.findings().await,
        Vec::<String>::new(),
        "the next start repairs it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_git_object_is_reported_with_its_change() {
    for (what, change) in [
        ("main~3", 2),
        ("main~3^{tree}", 2),
        ("main~3:fixtures", 2),
        ("main~2", 3),
    ] {
        let fixture = Fixture::stopped().await;
        let path = fixture.git_object(what);
        std::fs::remove_file(&path).unwrap();
        let findings = fixture.findings().await;
        let expected = format!("main: in git, change {change} (");
        assert!(
            findings[0].starts_with(&expected) && findings[0].contains("lacks an object"),
            "{what}: {findings:?}"
        );
        std::fs::write(&path, "").unwrap();
        let findings = fixture.findings().await;
        assert!(findings[0].starts_with(&expected), "{what}: {findings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rewritten_git_history_is_reported() {
    let fixture = Fixture::stopped().await;
    let tree = fixture.git(&["rev-parse", "main^{tree}"]);
    let who = ["-c", "user.name=Eve", "-c", "user.email=eve@x"];
    let forged = fixture.git(
        &[
            &who[..],
            &[
                "commit-tree",
                tree.trim(),
                "-p",
                "main~1",
                "-m",
                "Nothing to see",
            ],
        ]
        .concat(),
    );
    fixture.git(&["update-ref", "refs/heads/main", forged.trim()]);
    let expected = "main: git branch main (5 commits) does not match the 5 changes.";
    assert_eq!(fixture.findings().await, [expected]);
    fixture.git(&["update-ref", "refs/heads/main", "main~2"]);
    let expected =
        "note: main: git has 3 of 5 changes. The next start of the server derives the rest.";
    assert_eq!(fixture.findings().await, [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tampered_database_rows_are_reported() {
    let fixture = Fixture::stopped().await;
    fixture.store.tamper(&fixture.vault.id, |rows| {
        rows.revisions[1].author.name = "Eve".into();
    });
    assert!(
        fixture.findings().await[0]
            .starts_with("main: in git, change 2 (fixtures/gear.mcam, revision 1)")
    );

    let fixture = Fixture::stopped().await;
    fixture.store.tamper(&fixture.vault.id, |rows| {
        for file in &mut rows.files {
            match file.name.as_str() {
                "empty" => file.deleted = true,
                "vise.step" => file.name = Filename::from_stored("vice.step"),
                _ => file.blob.size += 1,
            }
        }
    });
    let mut findings = fixture.findings().await;
    findings.sort();
    assert_eq!(
        findings,
        [
            "main: empty is in git's newest tree but not in the list of files.",
            "main: fixtures/gear.mcam has different content in git's newest tree and in the list of files.",
            "main: vice.step is in the list of files but not in git's newest tree.",
            "main: vise.step is in git's newest tree but not in the list of files.",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn content_lost_with_repository_is_reported() {
    let fixture = Fixture::stopped().await;
    std::fs::remove_dir_all(fixture.data.path().join("main.git")).unwrap();
    let findings = fixture.findings().await;
    assert_eq!(
        findings
            .iter()
            .filter(|finding| finding.contains("is missing"))
            .count(),
        4,
        "{findings:?}"
    );
    assert!(
        findings
            .iter()
            .any(|finding| finding.contains("no git repository")),
        "{findings:?}"
    );
}
