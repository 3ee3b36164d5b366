//! Uploads, downloads and git with the content of a data folder.

use super::Fixture;
use crate::testing::{actor, files_below, git, text};
use crate::vault::{core::Context, *};

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
