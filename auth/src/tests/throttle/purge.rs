//! What the gate forgets, and what it does not charge.

use super::*;

#[tokio::test]
async fn throttle_purge_keeps_failures_of_existing_accounts() {
    let house = test_auth().await;
    house.register("ada").await;
    for username in ["ada", "nobody"] {
        house
            .record_failure(CredentialKind::Password, username, other_network(1))
            .await;
    }
    assert_eq!(
        house.store.failure_count_rows(),
        4,
        "two names, the network that guessed, and the one that registered"
    );
    house.clock.advance(Duration::from_hours(24));
    house.auth.purge().await;
    assert_eq!(house.store.failure_count_rows(), 2, "networks owe nothing");
    house.clock.advance(Duration::from_hours(24 * 90));
    house.auth.purge().await;
    assert_eq!(
        house.store.failure_count_rows(),
        1,
        "nobody is forgotten, ada's failures in a row are not"
    );
}

#[tokio::test]
async fn dead_refresh_tokens_do_not_throttle_sign_in() {
    let house = test_auth().await;
    house.register("ada").await;
    let from = origin();
    for _ in 0..150 {
        let trial = Attempt {
            kind: CredentialKind::Refresh,
            account: None,
            from: &from,
        };
        let pass = house.auth.begin_attempt(&trial).await.unwrap();
        house.auth.failed(pass).await.unwrap();
    }
    house
        .sign_in_from("ada", GOOD_PASSWORD, origin())
        .await
        .unwrap();
}
