//! Failure counts and known sources.

use std::time::Duration;

use auth::{
    Actor, AuthStore as _, Origin, SecurityEpoch, Session, SessionKind, TokenHash, Username,
    audit::{AuditQuery, Chain},
    store::{
        AttemptSource, AuditStore as _, Bucket, Charge, LockoutQuery, NetworkPrefix, PurgeCutoffs,
        RateClass, ThrottleQuery, ThrottleState, ThrottleStore as _, ThrottleTarget,
    },
    throttle::CredentialKind,
};
use store::{Store, testing::TestDatabase};

use crate::builders::{register, session, timestamp, user};

crate::on_both_databases!(
    parallel_failures_are_counted_exactly,
    network_penalty_decays_and_is_capped,
    throttle_buckets_count_separately,
    account_creation_clears_earlier_failures,
    sign_in_origin_is_known_to_its_account,
    known_origins_per_account_are_limited_to_50,
    personal_token_use_makes_no_origin_known,
    visible_lockouts_are_those_over_the_threshold,
    lockout_lift_affects_one_account_or_network,
    throttle_purge_keeps_needed_entries,
    username_like_an_address_is_not_a_network,
);

fn network(raw: &str) -> NetworkPrefix {
    NetworkPrefix::parse(raw).unwrap()
}

fn bucket(username: &str, secret: CredentialKind, source: AttemptSource) -> Bucket {
    Bucket::Account {
        username: user(username),
        kind: secret,
        source,
    }
}

fn guess_bucket(raw: &str) -> Bucket {
    Bucket::Network(RateClass::Guesses, network(raw))
}

fn token_bucket(raw: &str) -> Bucket {
    Bucket::Network(RateClass::Tokens, network(raw))
}

fn unknown_source(username: &str) -> Bucket {
    bucket(username, CredentialKind::Password, AttemptSource::Unknown)
}

fn single_charge(bucket: Bucket) -> Charge {
    let network = !matches!(bucket, Bucket::Account { .. });
    let seconds = if network { 3 } else { 0 };
    Charge {
        bucket,
        cost: Duration::from_secs(seconds),
        max: Duration::from_secs(seconds * 5),
    }
}

async fn record_failure(store: &Store, bucket: &Bucket, at: i64) -> u32 {
    store
        .record_failures(vec![single_charge(bucket.clone())], timestamp(at))
        .await
        .unwrap()[0]
        .failures
}

async fn throttle_state(store: &Store, buckets: &[&Bucket]) -> ThrottleState {
    let buckets = buckets.iter().map(|bucket| (*bucket).clone()).collect();
    store
        .throttles(ThrottleQuery {
            buckets,
            sources: None,
        })
        .await
        .unwrap()
}

async fn failure_count(store: &Store, bucket: &Bucket) -> u32 {
    throttle_state(store, &[bucket])
        .await
        .counts
        .first()
        .map_or(0, |count| count.failures)
}

async fn known_sources(
    store: &Store,
    username: &str,
    sources: &[AttemptSource],
) -> Vec<AttemptSource> {
    let sources = Some((user(username), sources.to_vec()));
    store
        .throttles(ThrottleQuery {
            buckets: vec![unknown_source(username)],
            sources,
        })
        .await
        .unwrap()
        .known_sources
}

fn session_from(id: &str, username: &str, origin: Origin) -> Session {
    Session {
        origin,
        ..session(id, username, SessionKind::Web)
    }
}

fn origin_from(address: &str, device: Option<&str>) -> Origin {
    Origin {
        address: address.parse().unwrap(),
        user_agent: None,
        device: device.map(TokenHash::new),
    }
}

async fn parallel_failures_are_counted_exactly(db: TestDatabase) {
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..100 {
        let store = db.store.clone();
        tries.spawn(async move {
            let charges = vec![
                single_charge(guess_bucket("192.0.2.1")),
                single_charge(unknown_source("ada")),
            ];
            store.record_failures(charges, timestamp(n)).await.unwrap()[1].failures
        });
    }
    let mut counts = tries.join_all().await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=100).collect::<Vec<u32>>());
    assert_eq!(
        failure_count(&db.store, &guess_bucket("192.0.2.1")).await,
        100
    );
}

async fn network_penalty_decays_and_is_capped(db: TestDatabase) {
    let bucket = guess_bucket("2001:db8::/64");
    let mut owed = Vec::new();
    for at in [0, 0, 4, 100, 100, 100, 100, 100, 100, 100] {
        let charged = db
            .store
            .record_failures(vec![single_charge(bucket.clone())], timestamp(at))
            .await
            .unwrap();
        owed.push(charged[0].tat.duration_since(timestamp(at)).as_secs());
    }
    assert_eq!(owed, [3, 6, 5, 3, 6, 9, 12, 15, 15, 15]);
}

async fn throttle_buckets_count_separately(db: TestDatabase) {
    let known_network = AttemptSource::NetworkPrefix(network("192.0.2.1"));
    let buckets = [
        unknown_source("ada"),
        unknown_source("bob"),
        bucket("ada", CredentialKind::Totp, AttemptSource::Unknown),
        bucket("ada", CredentialKind::Password, known_network.clone()),
        bucket(
            "ada",
            CredentialKind::Password,
            AttemptSource::Device(TokenHash::new("d")),
        ),
        guess_bucket("192.0.2.1"),
        token_bucket("192.0.2.1"),
    ];
    for (times, bucket) in (1..).zip(&buckets) {
        for _ in 0..times {
            record_failure(&db.store, bucket, 0).await;
        }
    }
    let all = throttle_state(&db.store, &buckets.iter().collect::<Vec<_>>()).await;
    for (times, bucket) in (1..).zip(&buckets) {
        let count = all
            .counts
            .iter()
            .find(|count| count.bucket == *bucket)
            .unwrap();
        assert_eq!(count.failures, times);
    }
    db.store.reset_count(buckets[0].clone()).await.unwrap();
    assert_eq!(
        (
            failure_count(&db.store, &buckets[0]).await,
            failure_count(&db.store, &buckets[3]).await
        ),
        (0, 4)
    );
    db.store
        .reset_counts(&user("ada"), CredentialKind::Password)
        .await
        .unwrap();
    assert_eq!(
        (
            failure_count(&db.store, &buckets[3]).await,
            failure_count(&db.store, &buckets[4]).await
        ),
        (0, 0)
    );
    assert_eq!(
        (
            failure_count(&db.store, &buckets[1]).await,
            failure_count(&db.store, &buckets[2]).await
        ),
        (2, 3)
    );
}

async fn account_creation_clears_earlier_failures(db: TestDatabase) {
    for n in 0..8 {
        db.store
            .record_failures(
                vec![
                    single_charge(unknown_source("newhire")),
                    single_charge(unknown_source("other")),
                ],
                timestamp(n),
            )
            .await
            .unwrap();
    }
    register(&db.store, &["newhire"]).await;
    assert_eq!(
        failure_count(&db.store, &unknown_source("newhire")).await,
        0
    );
    assert_eq!(failure_count(&db.store, &unknown_source("other")).await, 8);
    // A rejected registration of a taken username lifts nothing.
    db.store
        .record_failures(vec![single_charge(unknown_source("newhire"))], timestamp(9))
        .await
        .unwrap();
    let again = db.store.create_account(
        crate::builders::account("newhire"),
        Vec::new(),
        crate::builders::actor("eve"),
    );
    assert_eq!(again.await.unwrap(), auth::store::InsertResult::Duplicate);
    assert_eq!(
        failure_count(&db.store, &unknown_source("newhire")).await,
        1
    );
}

async fn sign_in_origin_is_known_to_its_account(db: TestDatabase) {
    register(&db.store, &["ada", "eve"]).await;
    let here = origin_from("2001:db8:1:2:3::4", Some("her browser"));
    db.store
        .start_session(
            session_from("one", "ada", here.clone()),
            TokenHash::new("one"),
            SecurityEpoch::default(),
        )
        .await
        .unwrap();
    let neighbour = origin_from("2001:db8:1:2:ffff::1", Some("another browser"));
    assert_eq!(
        known_sources(&db.store, "ada", &here.sources()).await.len(),
        2
    );
    assert_eq!(
        known_sources(&db.store, "ada", &neighbour.sources()).await,
        [AttemptSource::NetworkPrefix(network("2001:db8:1:2::"))]
    );
    assert_eq!(
        known_sources(&db.store, "ada", &origin_from("192.0.2.1", None).sources()).await,
        []
    );
    assert_eq!(known_sources(&db.store, "eve", &here.sources()).await, []);
}

async fn known_origins_per_account_are_limited_to_50(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    for n in 0..60 {
        let origin = origin_from(&format!("192.0.2.{n}"), None);
        let session = Session {
            last_seen: timestamp(n),
            ..session_from(&n.to_string(), "ada", origin)
        };
        db.store
            .start_session(
                session,
                TokenHash::new(&n.to_string()),
                SecurityEpoch::default(),
            )
            .await
            .unwrap();
    }
    let is_known = async |n: u8| {
        known_sources(
            &db.store,
            "ada",
            &origin_from(&format!("192.0.2.{n}"), None).sources(),
        )
        .await
        .len()
    };
    assert_eq!(
        (is_known(9).await, is_known(10).await, is_known(59).await),
        (0, 1, 1)
    );
}

async fn personal_token_use_makes_no_origin_known(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let origin = origin_from("192.0.2.1", None);
    let session = Session {
        kind: SessionKind::Personal,
        ..session_from("token", "ada", origin.clone())
    };
    db.store
        .start_session(session, TokenHash::new("token"), SecurityEpoch::default())
        .await
        .unwrap();
    assert_eq!(known_sources(&db.store, "ada", &origin.sources()).await, []);
}

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
