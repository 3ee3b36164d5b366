//! Lockouts: listed, lifted, purged.

use auth::{
    Actor, AuthStore as _, SecurityEpoch, TokenHash, Username,
    audit::{AuditQuery, Chain},
    store::{
        AttemptSource, AuditStore as _, Bucket, LockoutQuery, PurgeCutoffs, ThrottleStore as _,
        ThrottleTarget,
    },
    throttle::CredentialKind,
};
use store::testing::TestDatabase;

use super::{
    bucket, failure_count, guess_bucket, known_sources, network, origin_from, record_failure,
    session_from, throttle_state, token_bucket, unknown_source,
};
use crate::builders::{register, timestamp, user};

crate::on_both_databases!(
    visible_lockouts_are_those_over_the_threshold,
    lockout_lift_affects_one_account_or_network,
    throttle_purge_keeps_needed_entries,
    username_like_an_address_is_not_a_network,
);

async fn visible_lockouts_are_those_over_the_threshold(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    for at in 0..5 {
        record_failure(&db.store, &unknown_source("ada"), at).await;
        record_failure(&db.store, &unknown_source("a-password-typed-there"), at).await;
        record_failure(&db.store, &guess_bucket("192.0.2.1"), at).await;
        record_failure(&db.store, &token_bucket("192.0.2.1"), at).await;
    }
    record_failure(&db.store, &unknown_source("bob"), 9).await;
    record_failure(&db.store, &guess_bucket("192.0.2.2"), 9).await;
    let what = LockoutQuery {
        failures: 5,
        visible_after: timestamp(12),
    };
    let found: Vec<Bucket> = db
        .store
        .lockouts(what)
        .await
        .unwrap()
        .into_iter()
        .map(|count| count.bucket)
        .collect();
    assert_eq!(found, [guess_bucket("192.0.2.1"), unknown_source("ada")]);
}

async fn lockout_lift_affects_one_account_or_network(db: TestDatabase) {
    let (of_network, tokens) = (guess_bucket("192.0.2.1"), token_bucket("192.0.2.1"));
    let known_network = bucket(
        "ada",
        CredentialKind::Totp,
        AttemptSource::NetworkPrefix(network("192.0.2.1")),
    );
    for bucket in [
        &unknown_source("ada"),
        &known_network,
        &unknown_source("bob"),
        &of_network,
        &tokens,
    ] {
        record_failure(&db.store, bucket, 0).await;
    }
    let lift = async |whose| {
        db.store
            .lift(whose, Actor::console(), timestamp(1))
            .await
            .unwrap()
    };
    assert_eq!(lift(ThrottleTarget::Account(user("ada"))).await, 2);
    assert_eq!(lift(ThrottleTarget::Account(user("ada"))).await, 0);
    assert_eq!(failure_count(&db.store, &unknown_source("bob")).await, 1);
    assert_eq!(failure_count(&db.store, &of_network).await, 1);
    assert_eq!(lift(ThrottleTarget::Network(network("192.0.2.1"))).await, 2);
    assert_eq!(failure_count(&db.store, &of_network).await, 0);
    // A lift of nothing is not audited.
    let audit = db
        .store
        .audit(AuditQuery::newest(Chain::Accounts, 10))
        .await
        .unwrap();
    let entries: Vec<_> = audit
        .iter()
        .map(|entry| (entry.action.as_str(), entry.subject.as_str()))
        .collect();
    assert_eq!(
        entries,
        [("throttle.lifted", "192.0.2.1"), ("throttle.lifted", "ada")]
    );
}

async fn throttle_purge_keeps_needed_entries(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let paid = guess_bucket("192.0.2.1");
    let owing = guess_bucket("192.0.2.2");
    let unseen = bucket(
        "ada",
        CredentialKind::Password,
        AttemptSource::Device(TokenHash::new("lost")),
    );
    record_failure(&db.store, &paid, 0).await;
    record_failure(&db.store, &owing, 100).await;
    record_failure(&db.store, &unknown_source("ada"), 0).await;
    record_failure(&db.store, &unknown_source("nobody"), 0).await;
    record_failure(&db.store, &unknown_source("recent"), 100).await;
    record_failure(&db.store, &unseen, 0).await;
    let what = PurgeCutoffs {
        tat_before: timestamp(101),
        unknown_account_before: timestamp(50),
        known_source_before: timestamp(0),
    };
    assert_eq!(db.store.purge_throttles(what).await.unwrap(), 3);
    assert_eq!(throttle_state(&db.store, &[&owing]).await.counts.len(), 1);
    for (username, left) in [("ada", 1), ("nobody", 0), ("recent", 1)] {
        assert_eq!(
            failure_count(&db.store, &unknown_source(username)).await,
            left,
            "{username}"
        );
    }
    let origin = origin_from("192.0.2.9", None);
    db.store
        .start_session(
            session_from("one", "ada", origin.clone()),
            TokenHash::new("one"),
            SecurityEpoch::default(),
        )
        .await
        .unwrap();
    let later = PurgeCutoffs {
        tat_before: timestamp(0),
        unknown_account_before: timestamp(0),
        known_source_before: timestamp(1_000_000_000),
    };
    db.store.purge_throttles(later).await.unwrap();
    assert_eq!(known_sources(&db.store, "ada", &origin.sources()).await, []);
}

async fn username_like_an_address_is_not_a_network(db: TestDatabase) {
    let named = Username::parse("192.0.2.1").unwrap();
    record_failure(&db.store, &unknown_source("192.0.2.1"), 0).await;
    assert_eq!(
        failure_count(&db.store, &guess_bucket("192.0.2.1")).await,
        0
    );
    let lifted = db
        .store
        .lift(
            ThrottleTarget::Network(network("192.0.2.1")),
            Actor::console(),
            timestamp(1),
        )
        .await
        .unwrap();
    assert_eq!(lifted, 0);
    assert_eq!(
        db.store
            .lift(
                ThrottleTarget::Account(named),
                Actor::console(),
                timestamp(1)
            )
            .await
            .unwrap(),
        1
    );
}
