use auth::SecureRandom;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use tempfile::TempDir;

use super::{
    core::{Context, VaultCore},
    *,
};
use crate::{
    LocalBlobs,
    testing::{MemoryStore, actor, clock, files_below, git, text},
};

/// A service with a vault `main`, and its data folder.
struct Fixture {
    data: TempDir,
    store: MemoryStore,
    core: VaultCore<MemoryStore, LocalBlobs>,
    vault: Realm,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(MemoryStore::default(), tempfile::tempdir().unwrap()).await
    }

    async fn with(store: MemoryStore, data: TempDir) -> Self {
        let blobs = LocalBlobs::new(data.path().to_owned(), 100_000_000);
        let core = VaultCore::open(
            store.clone(),
            blobs,
            data.path().to_owned(),
            clock(),
            SecureRandom::system(),
        )
        .await
        .unwrap();
        let vault = store.vaults().await.unwrap().remove(0);
        Self {
            data,
            store,
            core,
            vault,
        }
    }

    /// Stops it as `strongroom serve` stops, and starts it again.
    async fn again(self) -> Self {
        self.core.deriver.close().await;
        Self::with(self.store, self.data).await
    }

    async fn does(&self, name: &str, file: &str, operation: Operation) -> Result<File, VaultError> {
        let by = Context {
            vault: &self.vault,
            actor: &actor(name),
        };
        self.core
            .apply(by, &Filename::parse(file).unwrap(), operation, None)
            .await
    }

    async fn blob(&self, bytes: &[u8]) -> Blob {
        let mut upload = self.core.blobs.begin(&self.vault.name).await.unwrap();
        upload.write(Bytes::copy_from_slice(bytes)).await.unwrap();
        upload.finish().await.unwrap()
    }

    async fn add(&self, name: &str, file: &str, bytes: &[u8]) -> Result<File, VaultError> {
        let id = FileId::random(&self.core.rng);
        let operation = Operation::Add {
            id,
            blob: self.blob(bytes).await,
            comment: text(""),
        };
        self.does(name, file, operation).await
    }

    async fn check_in(&self, name: &str, file: &str, bytes: &[u8]) -> Result<File, VaultError> {
        let blob = self.blob(bytes).await;
        let then = AfterCheckIn::Release;
        self.does(
            name,
            file,
            Operation::CheckIn {
                blob,
                comment: text("Second cut"),
                then,
                base: None,
            },
        )
        .await
    }

    async fn read(&self, file: &str, revision: Option<i64>) -> Result<Vec<u8>, VaultError> {
        let blob = self
            .core
            .content(&self.vault, &Filename::parse(file).unwrap(), revision)
            .await?;
        let content = self
            .core
            .open_content(&self.vault, &blob, 0..blob.size)
            .await?;
        Ok(content.try_collect::<Vec<_>>().await.unwrap().concat())
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.data.path().join("main.git"), arguments)
    }
}

#[tokio::test]
async fn main_vault_is_created_once() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.vault.name.as_str(), "main");
    let id = fixture.vault.id.clone();
    assert_eq!(fixture.again().await.vault.id, id);
}

#[tokio::test]
async fn file_life_cycle_is_recorded_in_git() {
    let fixture = Fixture::new().await;
    fixture
        .add("ada", "fixtures/vise.step", b"one")
        .await
        .unwrap();
    fixture
        .does(
            "ada",
            "fixtures/vise.step",
            Operation::CheckOut { note: None },
        )
        .await
        .unwrap();
    let refused = fixture.check_in("bob", "fixtures/vise.step", b"two").await;
    assert!(matches!(refused, Err(VaultError::NotLockHolder { .. })));
    assert_eq!(
        fixture
            .check_in("ada", "fixtures/vise.step", b"two")
            .await
            .unwrap()
            .revision,
        2
    );
    let to = Filename::parse("parts/vise.step").unwrap();
    fixture
        .does("bob", "fixtures/vise.step", Operation::Move { to })
        .await
        .unwrap();
    fixture
        .does(
            "ada",
            "parts/vise.step",
            Operation::Delete { comment: text("") },
        )
        .await
        .unwrap();
    let log = fixture.git(&["log", "--format=%an|%ae|%at|%s", "--reverse"]);
    assert_eq!(
        log.lines().collect::<Vec<_>>(),
        [
            "ada|ada@strongroom.invalid|1795000000|Add fixtures/vise.step",
            "ada|ada@strongroom.invalid|1795000000|Second cut",
            "bob|bob@strongroom.invalid|1795000000|Move fixtures/vise.step to parts/vise.step",
            "ada|ada@strongroom.invalid|1795000000|Delete parts/vise.step",
        ]
    );
    assert_eq!(
        fixture.git(&["ls-tree", "-r", "--name-only", "HEAD"]),
        ".gitattributes\n"
    );
    assert!(matches!(
        fixture.read("parts/vise.step", None).await,
        Err(VaultError::NotFound)
    ));
    assert_eq!(
        fixture.read("parts/vise.step", Some(1)).await.unwrap(),
        b"one"
    );
}

#[tokio::test]
async fn restore_recovers_content_of_a_deleted_file() {
    let fixture = Fixture::new().await;
    let name = Filename::parse("a.step").unwrap();
    fixture.add("ada", "a.step", b"one").await.unwrap();
    fixture
        .does("ada", "a.step", Operation::CheckOut { note: None })
        .await
        .unwrap();
    fixture.check_in("ada", "a.step", b"two").await.unwrap();
    fixture
        .does("ada", "a.step", Operation::Delete { comment: text("") })
        .await
        .unwrap();
    let by = Context {
        vault: &fixture.vault,
        actor: &actor("bob"),
    };
    let back = fixture.core.restore(by, &name, 1, None).await.unwrap();
    assert_eq!((back.revision, back.deleted), (4, false));
    assert_eq!(fixture.read("a.step", None).await.unwrap(), b"one");
    for revision in [3, 0, 99, -1] {
        let refused = fixture.core.restore(by, &name, revision, None).await;
        assert!(
            matches!(refused, Err(VaultError::NoSuchRevision { .. })),
            "{revision}: a deletion has no content"
        );
    }
}

#[tokio::test]
async fn invalid_upload_is_rejected_early_except_on_retry() {
    let fixture = Fixture::new().await;
    fixture.add("ada", "a.step", b"one").await.unwrap();
    let name = Filename::parse("A.STEP").unwrap();
    let (first, again) = (Precheck::Run, Precheck::SkipForRetry);
    let by = |who| Context {
        vault: &fixture.vault,
        actor: who,
    };
    let (ada, bob) = (actor("ada"), actor("bob"));
    let core = &fixture.core;
    assert!(matches!(
        core.start_upload_new(&fixture.vault, &name, first).await,
        Err(VaultError::Exists { .. })
    ));
    core.start_upload_new(&fixture.vault, &name, again)
        .await
        .unwrap();
    assert!(matches!(
        core.start_upload_revision(by(&ada), &name, first).await,
        Err(VaultError::NotCheckedOut)
    ));
    core.start_upload_revision(by(&ada), &name, again)
        .await
        .unwrap();
    fixture
        .does("ada", "a.step", Operation::CheckOut { note: None })
        .await
        .unwrap();
    let refused = core.start_upload_revision(by(&bob), &name, first).await;
    assert!(matches!(refused, Err(VaultError::NotLockHolder { .. })));
    core.start_upload_revision(by(&ada), &name, first)
        .await
        .unwrap();
    let other = Filename::parse("b.step").unwrap();
    assert!(matches!(
        core.start_upload_revision(by(&ada), &other, first).await,
        Err(VaultError::NotFound)
    ));
}

#[tokio::test]
async fn retry_with_idempotency_key_sends_no_event() {
    let fixture = Fixture::new().await;
    fixture.add("ada", "a.step", b"one").await.unwrap();
    let (ada, name) = (actor("ada"), Filename::parse("a.step").unwrap());
    let key = || {
        Some(IdempotencyKey {
            key: "k".into(),
            fingerprint: "f".into(),
        })
    };
    let check_out = || {
        let by = Context {
            vault: &fixture.vault,
            actor: &ada,
        };
        fixture
            .core
            .apply(by, &name, Operation::CheckOut { note: None }, key())
    };
    let mut ticks = fixture.core.recorded.subscribe();
    let first = check_out().await.unwrap();
    assert_eq!(ticks.try_recv().unwrap(), fixture.vault.id);
    assert_eq!(check_out().await.unwrap(), first);
    assert_eq!(
        ticks.try_recv(),
        Err(tokio::sync::broadcast::error::TryRecvError::Empty)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_check_outs_in_vault_succeed_once() {
    let fixture = std::sync::Arc::new(Fixture::new().await);
    fixture.add("ada", "a.step", b"one").await.unwrap();
    for _ in 0..50 {
        let racers: Vec<_> = (0..8)
            .map(|n| (n, fixture.clone()))
            .map(|(n, fixture)| {
                tokio::spawn(async move {
                    fixture
                        .does(
                            &format!("user{n}"),
                            "a.step",
                            Operation::CheckOut { note: None },
                        )
                        .await
                })
            })
            .collect();
        let (mut winners, mut losers) = (Vec::new(), Vec::new());
        for racer in racers {
            match racer.await.unwrap() {
                Ok(file) => winners.push(file),
                Err(error) => losers.push(error),
            }
        }
        assert_eq!((winners.len(), losers.len()), (1, 7));
        let winner = winners[0].holder().unwrap();
        for loser in &losers {
            assert!(
                matches!(loser, VaultError::Locked { holder } if holder == winner),
                "{loser:?}"
            );
        }
        fixture
            .does(winner.as_str(), "a.step", Operation::Cancel)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn git_lfs_clone_of_data_folder_is_complete() {
    let fixture = Fixture::new().await;
    let big = vec![7u8; 3_000_000];
    let files: [(&str, &[u8]); 6] = [
        ("vise.step", b"solid"),
        ("empty.txt", b""),
        ("fixtures/deep/er/gear.mcam", &big),
        ("Größe Ø 5 — 部品.step", b"\0\r\n\xff"),
        ("-rf.step", b"dash"),
        ("a#b;c&d'e$.step", b"shell"),
    ];
    for (name, bytes) in files {
        fixture.add("ada", name, bytes).await.unwrap();
    }
    fixture.git(&["fsck", "--strict", "--no-dangling"]);
    let home = tempfile::tempdir().unwrap();
    git(home.path(), &["lfs", "install", "--skip-repo"]);
    let repository = fixture.data.path().join("main.git");
    git(
        home.path(),
        &["clone", repository.to_str().unwrap(), "clone"],
    );
    let clone = home.path().join("clone");
    let mut found = files_below(&clone);
    found.retain(|(name, _)| !name.ends_with(".gitattributes"));
    let mut expected: Vec<_> = files
        .iter()
        .map(|(name, bytes)| ((*name).into(), bytes.to_vec()))
        .collect();
    expected.sort();
    assert_eq!(found, expected);
    let in_clone = |arguments: &[&str]| {
        std::process::Command::new("git")
            .args(arguments)
            .env("HOME", home.path())
            .current_dir(&clone)
            .output()
            .unwrap()
    };
    let fsck = in_clone(&["lfs", "fsck"]);
    assert!(fsck.status.success(), "{fsck:?}");
    let status = in_clone(&["status", "--porcelain"]);
    assert_eq!(
        String::from_utf8_lossy(&status.stdout),
        "",
        "a fresh clone is clean"
    );
}

#[tokio::test]
async fn second_vault_has_its_own_repository_and_changes() {
    let fixture = Fixture::new().await;
    let (operator, name) = (actor("ada"), VaultName::parse("moulds").unwrap());
    let moulds = fixture
        .core
        .create_vault(&operator, name.clone())
        .await
        .unwrap();
    git(
        &fixture.data.path().join("moulds.git"),
        &["fsck", "--strict"],
    );
    let taken = fixture.core.create_vault(&operator, name).await;
    assert!(matches!(taken, Err(VaultError::VaultExists { .. })));
    fixture.add("ada", "a.step", b"one").await.unwrap();
    let a = Filename::parse("a.step").unwrap();
    assert!(matches!(
        fixture.core.file(&moulds, &a).await,
        Err(VaultError::NotFound)
    ));
    let (id, blob) = (
        FileId::random(&fixture.core.rng),
        fixture.blob(b"mould").await,
    );
    let by = Context {
        vault: &moulds,
        actor: &operator,
    };
    let added = fixture
        .core
        .apply(
            by,
            &a,
            Operation::Add {
                id,
                blob,
                comment: text(""),
            },
            None,
        )
        .await
        .unwrap();
    assert_eq!(added.change, 1);
    assert_eq!(
        git(
            &fixture.data.path().join("moulds.git"),
            &["rev-list", "--count", "main"]
        ),
        "1\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_call_still_completes_its_operation() {
    let fixture = Fixture::new().await;
    let mut ticks = fixture.core.recorded.subscribe();
    let operation = Operation::Add {
        id: FileId::random(&fixture.core.rng),
        blob: fixture.blob(b"one").await,
        comment: text(""),
    };
    {
        let mut asked = Box::pin(fixture.does("ada", "a.step", operation));
        // Polled once, which starts the request, and dropped.
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(asked.as_mut().poll(context)))
                .await
                .is_pending()
        );
    }
    assert_eq!(ticks.recv().await.unwrap(), fixture.vault.id);
    let change = fixture.add("ada", "b.step", b"two").await.unwrap().change;
    assert_eq!(
        (
            change,
            fixture.git(&["rev-list", "--count", "main"]).as_str()
        ),
        (2, "2\n")
    );
}
