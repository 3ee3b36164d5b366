//! The key ring: one key signs, and is replaced by one of those who try.

use auth::store::{KeyPurpose, KeyStore as _, StoredKey};
use futures_util::future::join_all;
use store::testing::TestDatabase;

use crate::builders::second;

crate::on_both_databases!(
    one_key_signs_and_the_newest_comes_first,
    of_eight_replacements_one_happens,
    of_eight_first_keys_one_is_the_first,
    retired_keys_are_forgotten_and_the_one_that_signs_is_not,
);

fn key(kid: &str, at: i64) -> StoredKey {
    StoredKey {
        kid: kid.to_owned(),
        purpose: KeyPurpose::AccessTokens,
        algorithm: "HS256".to_owned(),
        sealed: format!("sealed {kid}").into(),
        made_at: second(at),
        retired_at: None,
    }
}

async fn kids(db: &TestDatabase) -> Vec<String> {
    db.store.keys(KeyPurpose::AccessTokens).await.unwrap().into_iter().map(|key| key.kid).collect()
}

async fn one_key_signs_and_the_newest_comes_first(db: TestDatabase) {
    assert!(kids(&db).await.is_empty());
    assert!(db.store.replace_key(key("a", 0), None).await.unwrap());
    assert!(!db.store.replace_key(key("b", 1), None).await.unwrap(), "there is one");
    assert!(!db.store.replace_key(key("b", 1), Some("z")).await.unwrap(), "it does not sign");
    assert!(db.store.replace_key(key("b", 1), Some("a")).await.unwrap());
    assert!(db.store.replace_key(key("c", 2), Some("b")).await.unwrap());
    assert!(!db.store.replace_key(key("d", 3), Some("a")).await.unwrap(), "it does not sign any more");
    assert_eq!(kids(&db).await, ["c", "b", "a"]);
    let keys = db.store.keys(KeyPurpose::AccessTokens).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.retired_at).collect::<Vec<_>>(), [None, Some(second(2)), Some(second(1))]);
    assert!(db.store.replace_key(key("c", 4), Some("c")).await.is_err(), "a name is given once");
    assert_eq!(kids(&db).await, ["c", "b", "a"], "and nothing was changed by trying");
}

async fn of_eight_replacements_one_happens(db: TestDatabase) {
    assert!(db.store.replace_key(key("a", 0), None).await.unwrap());
    let store = &db.store;
    let tries = join_all((0..8).map(|n| async move { store.replace_key(key(&format!("b{n}"), 1), Some("a")).await }));
    assert_eq!(tries.await.into_iter().filter(|done| *done.as_ref().unwrap()).count(), 1);
    assert_eq!(kids(&db).await.len(), 2);
}

async fn of_eight_first_keys_one_is_the_first(db: TestDatabase) {
    let store = &db.store;
    let tries = join_all((0..8).map(|n| async move { store.replace_key(key(&format!("b{n}"), 1), None).await }));
    assert_eq!(tries.await.into_iter().filter(|done| *done.as_ref().unwrap()).count(), 1);
}

async fn retired_keys_are_forgotten_and_the_one_that_signs_is_not(db: TestDatabase) {
    assert!(db.store.replace_key(key("a", 0), None).await.unwrap());
    assert!(db.store.replace_key(key("b", 10), Some("a")).await.unwrap());
    assert_eq!(db.store.forget_keys(second(10)).await.unwrap(), 0);
    assert_eq!(db.store.forget_keys(second(11)).await.unwrap(), 1);
    assert_eq!(db.store.forget_keys(jiff::Timestamp::MAX).await.unwrap(), 0);
    assert_eq!(kids(&db).await, ["b"]);
}
