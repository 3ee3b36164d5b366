//! Failure counts and known sources.

mod counting;
mod known_sources;
mod lockouts;

use std::time::Duration;

use auth::{
    Origin, Session, SessionKind, TokenHash,
    store::{
        AttemptSource, Bucket, Charge, NetworkPrefix, RateClass, ThrottleQuery, ThrottleState,
        ThrottleStore as _,
    },
    throttle::CredentialKind,
};
use store::Store;

use crate::builders::{session, timestamp, user};

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
