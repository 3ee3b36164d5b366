//! History, deleted files and derived commits.

use store::testing::TestDatabase;
use vault::{VaultError, VaultId, VaultStore as _, store::DerivedCommit};

use crate::builders::{ada_and_bob, blob, filename};

crate::on_both_databases!(
    deleted_file_is_restored_with_its_history,
    deleted_files_are_listed_until_name_is_reused,
    file_history_is_paged_newest_first,
    derived_commits_are_stored_without_overwriting_the_newest,
    blobs_are_listed_once,
);

async fn deleted_file_is_restored_with_its_history(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    let first = ada.add("a.step").await.unwrap().file;
    ada.delete("a.step").await.unwrap();
    assert_eq!(ada.find("a.step").await, None);
    ada.add("a.step").await.unwrap();
    ada.delete("a.step").await.unwrap();
    let newest = db
        .store
        .file_or_deleted(&ada.vault, &filename("a.step"))
        .await
        .unwrap()
        .unwrap();
    assert!(
        newest.deleted && newest.id != first.id,
        "the file deleted last"
    );
    let back = ada.restore(&first).await.unwrap().file;
    assert_eq!(
        (&back.id, back.revision, back.deleted),
        (&first.id, 3, false)
    );
    assert_eq!(ada.find("a.step").await.as_ref(), Some(&back));
    let again = ada.restore(&newest).await;
    assert!(
        matches!(again, Err(VaultError::Exists { name: taken }) if taken == filename("a.step"))
    );
    let history = db
        .store
        .history(&ada.vault, &first.id, None, 10)
        .await
        .unwrap();
    assert_eq!(
        history.iter().map(|it| it.revision).collect::<Vec<_>>(),
        [3, 2, 1]
    );
    assert_eq!(
        (&history[1].blob, &history[0].blob),
        (&None, &Some(blob(1)))
    );
}

async fn deleted_files_are_listed_until_name_is_reused(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    for file in ["a.step", "fixtures/b.step", "c.step", "here.step"] {
        ada.add(file).await.unwrap();
    }
    for file in ["a.step", "fixtures/b.step", "c.step"] {
        ada.delete(file).await.unwrap();
    }
    let listed = async |before, limit| {
        let gone = db.store.deleted(&ada.vault, before, limit).await.unwrap();
        assert!(gone.iter().all(|file| file.deleted));
        gone.iter()
            .map(|file| (file.name.to_string(), file.change))
            .collect::<Vec<_>>()
    };
    let of = |name: &str, change| (name.to_owned(), change);
    assert_eq!(
        listed(None, 9).await,
        [of("c.step", 7), of("fixtures/b.step", 6), of("a.step", 5)]
    );
    assert_eq!(
        listed(None, 2).await,
        [of("c.step", 7), of("fixtures/b.step", 6)]
    );
    assert_eq!(listed(Some(6), 2).await, [of("a.step", 5)]);
    // A name used again and deleted again has one entry: the file that a restore brings back.
    ada.add("A.STEP").await.unwrap();
    assert_eq!(
        listed(None, 9).await,
        [of("c.step", 7), of("fixtures/b.step", 6)]
    );
    ada.delete("a.step").await.unwrap();
    assert_eq!(
        listed(None, 9).await,
        [of("A.STEP", 9), of("c.step", 7), of("fixtures/b.step", 6)]
    );
    let gone = db.store.deleted(&ada.vault, None, 9).await.unwrap();
    ada.restore(&gone[1]).await.unwrap();
    assert_eq!(
        listed(None, 9).await,
        [of("A.STEP", 9), of("fixtures/b.step", 6)]
    );
    let elsewhere = VaultId::new("elsewhere");
    assert_eq!(db.store.deleted(&elsewhere, None, 9).await.unwrap(), []);
}

async fn file_history_is_paged_newest_first(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    let file = ada.add("a.step").await.unwrap().file;
    for content in 2..=5 {
        ada.check_out("a.step").await.unwrap();
        ada.check_in("a.step", content).await.unwrap();
    }
    let page = async |before| -> Vec<i64> {
        let page = db
            .store
            .history(&ada.vault, &file.id, before, 2)
            .await
            .unwrap();
        page.into_iter().map(|it| it.revision).collect()
    };
    assert_eq!(page(None).await, [5, 4]);
    assert_eq!(page(Some(4)).await, [3, 2]);
    assert_eq!(page(Some(2)).await, [1]);
    assert!(page(Some(1)).await.is_empty());
}

async fn derived_commits_are_stored_without_overwriting_the_newest(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    assert_eq!(db.store.derived(&ada.vault).await.unwrap(), None);
    let commit = |change: i64, sha: &str| DerivedCommit {
        change,
        sha: sha.to_owned(),
    };
    db.store
        .record_derived(&ada.vault, vec![commit(1, "aa"), commit(2, "bb")])
        .await
        .unwrap();
    db.store
        .record_derived(&ada.vault, vec![commit(2, "cc"), commit(3, "dd")])
        .await
        .unwrap();
    assert_eq!(
        db.store.derived(&ada.vault).await.unwrap(),
        Some(commit(3, "dd"))
    );
}

async fn blobs_are_listed_once(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    ada.add("a.step").await.unwrap();
    ada.add("same.step").await.unwrap();
    ada.check_out("a.step").await.unwrap();
    ada.check_in("a.step", 2).await.unwrap();
    let page = db.store.blobs(&ada.vault, None, 1).await.unwrap();
    assert_eq!(page, [blob(1)]);
    assert_eq!(
        db.store
            .blobs(&ada.vault, Some(&page[0].id), 9)
            .await
            .unwrap(),
        [blob(2)]
    );
}
