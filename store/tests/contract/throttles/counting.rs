//! Failures are counted per bucket.

use auth::{
    AuthStore as _, TokenHash,
    store::{AttemptSource, ThrottleStore as _},
    throttle::CredentialKind,
};
use store::testing::TestDatabase;

use super::{
    bucket, failure_count, guess_bucket, network, record_failure, single_charge, throttle_state,
    token_bucket, unknown_source,
};
use crate::builders::{register, timestamp, user};

crate::on_both_databases!(
    parallel_failures_are_counted_exactly,
    network_penalty_decays_and_is_capped,
    throttle_buckets_count_separately,
    account_creation_clears_earlier_failures,
);

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
