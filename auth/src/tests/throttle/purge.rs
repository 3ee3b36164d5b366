//! The purge of failure counts, and failures that are not charged.

use super::*;

#[tokio::test]
async fn throttle_purge_keeps_failures_of_existing_accounts() {
    let test = test_auth().await;
    test.register("ada").await;
    for username in ["ada", "nobody"] {
        test.record_failure(CredentialKind::Password, username, other_network(1))
            .await;
    }
    assert_eq!(
        test.store.failure_count_rows(),
        4,
        "two names, the network of the failures, and that of the registration"
    );
    test.clock.advance(Duration::from_hours(24));
    test.auth.0.throttling().purge().await;
    assert_eq!(
        test.store.failure_count_rows(),
        2,
        "the networks owe nothing"
    );
    test.clock.advance(Duration::from_hours(24 * 90));
    test.auth.0.throttling().purge().await;
    assert_eq!(
        test.store.failure_count_rows(),
        1,
        "the name without an account is purged, ada's failures are not"
    );
}

#[tokio::test]
async fn dead_refresh_tokens_do_not_throttle_sign_in() {
    let test = test_auth().await;
    test.register("ada").await;
    let from = origin();
    for _ in 0..150 {
        let attempt = Attempt {
            kind: CredentialKind::Refresh,
            account: None,
            from: &from,
        };
        let guard = test
            .auth
            .0
            .throttling()
            .begin_attempt(&attempt)
            .await
            .unwrap();
        test.auth.0.throttling().failed(guard).await.unwrap();
    }
    test.sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
}
