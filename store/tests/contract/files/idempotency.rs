//! Requests with an idempotency key.

use store::testing::TestDatabase;
use vault::{VaultError, VaultStore as _};

use crate::builders::{ada_and_bob, timestamp};

crate::on_both_databases!(
    retry_with_idempotency_key_replays_the_outcome,
    idempotency_key_is_reusable_after_rejection,
    idempotency_key_of_another_request_is_rejected,
    idempotency_keys_are_purged_by_age,
);

async fn retry_with_idempotency_key_replays_the_outcome(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    ada.add("a.step").await.unwrap();
    let retrying = ada.with_key("key 1", "checkout a.step");
    let first = retrying.check_out("a.step").await.unwrap();
    ada.cancel("a.step").await.unwrap();
    let again = retrying.check_out("a.step").await.unwrap();
    assert!(again.replayed && !first.replayed);
    assert_eq!(
        (again.file, again.event, again.change),
        (first.file, first.event, first.change)
    );
    assert_eq!(
        ada.find("a.step").await.unwrap().lock,
        None,
        "the operation does not run again"
    );
    let other = bob
        .with_key("key 1", "checkout a.step")
        .check_out("a.step")
        .await
        .unwrap();
    assert!(!other.replayed, "another user's key is another key");
}

async fn idempotency_key_is_reusable_after_rejection(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    ada.add("a.step").await.unwrap();
    ada.check_out("a.step").await.unwrap();
    let retrying = bob.with_key("key", "checkout a.step");
    assert!(matches!(
        retrying.check_out("a.step").await,
        Err(VaultError::Locked { .. })
    ));
    ada.cancel("a.step").await.unwrap();
    assert!(!retrying.check_out("a.step").await.unwrap().replayed);
}

async fn idempotency_key_of_another_request_is_rejected(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    ada.with_key("key", "add a").add("a.step").await.unwrap();
    let other = ada.with_key("key", "add b").add("b.step").await;
    assert!(matches!(other, Err(VaultError::KeyReused)));
    assert_eq!(ada.find("b.step").await, None);
}

async fn idempotency_keys_are_purged_by_age(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    ada.with_key("key", "add").add("a.step").await.unwrap();
    assert_eq!(
        db.store
            .purge_idempotency_keys(timestamp(60))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        db.store
            .purge_idempotency_keys(timestamp(61))
            .await
            .unwrap(),
        1
    );
    ada.with_key("key", "another request")
        .add("b.step")
        .await
        .unwrap();
}
