//! What the gate forgets, and what it does not charge.

use super::*;

#[tokio::test]
async fn throttle_purge_keeps_failures_of_existing_accounts() {
    let house = house().await;
    house.register("ada").await;
    for username in ["ada", "nobody"] {
        house
            .fail_fast(CredentialKind::Password, username, elsewhere(1))
            .await;
    }
    assert_eq!(
        house.store.tallies(),
        4,
        "two names, the network that guessed, and the one that registered"
    );
    house.hands.forward(Duration::from_hours(24));
    house.auth.purge().await;
    assert_eq!(house.store.tallies(), 2, "networks owe nothing");
    house.hands.forward(Duration::from_hours(24 * 90));
    house.auth.purge().await;
    assert_eq!(
        house.store.tallies(),
        1,
        "nobody is forgotten, ada's failures in a row are not"
    );
}

#[tokio::test]
async fn dead_refresh_tokens_do_not_throttle_sign_in() {
    let house = house().await;
    house.register("ada").await;
    let from = origin();
    for _ in 0..150 {
        let trial = Attempt {
            secret: CredentialKind::Refresh,
            account: None,
            from: &from,
        };
        let pass = house.auth.begin_attempt(&trial).await.unwrap();
        house.auth.failed(pass).await.unwrap();
    }
    house.try_from("ada", GOOD, origin()).await.unwrap();
}
