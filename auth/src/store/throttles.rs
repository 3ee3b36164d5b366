//! Failure counts and known sources. They survive restarts and are shared by all nodes.
//! Deliberately absent: the decisions, which [`throttle`](crate::throttle) makes.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use super::{NetworkPrefix, StoreResult};
use crate::{Actor, Origin, Session, SessionKind, TokenHash, Username, throttle::CredentialKind};

/// The source of attempts on an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AttemptSource {
    /// All sources that the account has not signed in from, together.
    Unknown,
    /// A network that the account has signed in from.
    NetworkPrefix(NetworkPrefix),
    /// A browser that the account has signed in with.
    Device(TokenHash),
}

impl AttemptSource {
    /// The stored form.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Unknown => String::new(),
            Self::NetworkPrefix(network) => format!("network {network}"),
            Self::Device(device) => format!("device {}", device.as_str()),
        }
    }

    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        match key.split_once(' ') {
            None if key.is_empty() => Some(Self::Unknown),
            Some(("network", network)) => NetworkPrefix::parse(network).map(Self::NetworkPrefix),
            Some(("device", hash)) => Some(Self::Device(TokenHash::new(hash))),
            _ => None,
        }
    }
}

impl Origin {
    /// The sources that may be known, device first.
    #[must_use]
    pub fn sources(&self) -> Vec<AttemptSource> {
        let device = self.device.clone().map(AttemptSource::Device);
        device
            .into_iter()
            .chain([AttemptSource::NetworkPrefix(NetworkPrefix::of(
                self.address,
            ))])
            .collect()
    }
}

impl Session {
    /// The sources that this session makes known. Only the browser of a web session keeps its
    /// device token.
    #[must_use]
    pub fn sources(&self) -> Vec<AttemptSource> {
        let mut sources = self.origin.sources();
        sources.retain(|source| match self.kind {
            SessionKind::Web => true,
            SessionKind::OAuth => !matches!(source, AttemptSource::Device(_)),
            SessionKind::Personal => false,
        });
        sources
    }
}

/// The class of a network's failures. Each class has its own count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Guessable secrets of any account.
    Guesses,
    /// Long random tokens.
    Tokens,
    /// Created accounts: no failures, but limited.
    Accounts,
}

impl RateClass {
    pub const ALL: [Self; 3] = [Self::Guesses, Self::Tokens, Self::Accounts];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guesses => "guesses",
            Self::Tokens => "tokens",
            Self::Accounts => "accounts",
        }
    }
}

/// The unit that failures are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    Network(RateClass, NetworkPrefix),
    /// One credential kind of one account, existing or not, from one source.
    Account {
        username: Username,
        kind: CredentialKind,
        source: AttemptSource,
    },
}

impl Bucket {
    /// The stored key of three parts: account (empty for networks), credential kind or class, and
    /// source. The username is hashed, because users sometimes type a password in its place.
    #[must_use]
    pub fn key(&self) -> [String; 3] {
        match self {
            Self::Network(class, of) => [String::new(), class.as_str().to_owned(), of.to_string()],
            Self::Account {
                username,
                kind: secret,
                source,
            } => [
                Self::account_key(username),
                secret.as_str().to_owned(),
                source.key(),
            ],
        }
    }

    /// The first part of all keys of an account.
    #[must_use]
    pub fn account_key(username: &Username) -> String {
        hex::encode(&digest(&SHA256, format!("throttle {username}").as_bytes()).as_ref()[..16])
    }

    /// Parses a stored key of a network, or of an existing account.
    #[must_use]
    pub fn parse(username: Option<&Username>, what: &str, source: &str) -> Option<Self> {
        let Some(username) = username else {
            let class = RateClass::ALL
                .into_iter()
                .find(|class| class.as_str() == what)?;
            return NetworkPrefix::parse(source).map(|network| Self::Network(class, network));
        };
        let (secret, source) = (CredentialKind::parse(what)?, AttemptSource::parse(source)?);
        Some(Self::Account {
            username: username.clone(),
            kind: secret,
            source,
        })
    }

    #[must_use]
    pub fn username(&self) -> Option<&Username> {
        match self {
            Self::Network(..) => None,
            Self::Account { username, .. } => Some(username),
        }
    }
}

/// The failures of one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureCount {
    pub bucket: Bucket,
    /// Since the last reset or purge.
    pub failures: u32,
    pub last_at: Timestamp,
    /// The theoretical arrival time of the generic cell rate algorithm: when all charges have
    /// expired.
    pub tat: Timestamp,
}

/// The query before each attempt.
#[derive(Clone, Debug)]
pub struct ThrottleQuery {
    pub buckets: Vec<Bucket>,
    /// The sources to look up among those of an account.
    pub sources: Option<(Username, Vec<AttemptSource>)>,
}

#[derive(Clone, Debug, Default)]
pub struct ThrottleState {
    /// The requested buckets that have failures.
    pub counts: Vec<FailureCount>,
    /// The requested sources that are known.
    pub known_sources: Vec<AttemptSource>,
}

/// One failure of one bucket.
#[derive(Clone, Debug)]
pub struct Charge {
    pub bucket: Bucket,
    /// How far the charge moves `tat`.
    pub cost: Duration,
    /// The maximum of `tat`, from now.
    pub max: Duration,
}

/// The subject of a lift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThrottleTarget {
    Account(Username),
    /// The network's own count, for the secrets of all accounts.
    Network(NetworkPrefix),
}

/// The lockouts that administrators see.
#[derive(Clone, Copy, Debug)]
pub struct LockoutQuery {
    /// Accounts with at least this many failures. Names without an account are omitted.
    pub failures: u32,
    /// Networks whose `tat` is later.
    pub visible_after: Timestamp,
}

/// Cut-off times of a purge.
#[derive(Clone, Copy, Debug)]
pub struct PurgeCutoffs {
    /// Networks with an earlier `tat`.
    pub tat_before: Timestamp,
    /// Names without an account, last tried earlier.
    pub unknown_account_before: Timestamp,
    /// Known sources, last used earlier.
    pub known_source_before: Timestamp,
}

/// [`start_session`](super::AuthStore::start_session) adds known sources.
pub trait ThrottleStore: Clone + Send + Sync + 'static {
    fn throttles(
        &self,
        query: ThrottleQuery,
    ) -> impl Future<Output = StoreResult<ThrottleState>> + Send;
    /// Records all charges in the given order, networks first. Every one of any number of parallel
    /// calls counts. Returns the new counts.
    fn record_failures(
        &self,
        charges: Vec<Charge>,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Vec<FailureCount>>> + Send;
    /// Resets the failures of one bucket.
    fn reset_count(&self, bucket: Bucket) -> impl Future<Output = StoreResult<()>> + Send;
    /// Resets the failures of one credential kind from all sources, because the secret was
    /// replaced.
    fn reset_counts(
        &self,
        username: &Username,
        kind: CredentialKind,
    ) -> impl Future<Output = StoreResult<()>> + Send;
    /// Latest failure first, at most 1,000.
    fn lockouts(
        &self,
        query: LockoutQuery,
    ) -> impl Future<Output = StoreResult<Vec<FailureCount>>> + Send;
    /// Deletes failure counts and records it in the audit. Returns the number of buckets.
    fn lift(
        &self,
        target: ThrottleTarget,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<u64>> + Send;
    /// Deletes outdated counts and sources. Returns their number.
    fn purge_throttles(
        &self,
        cutoffs: PurgeCutoffs,
    ) -> impl Future<Output = StoreResult<u64>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(raw: &str) -> NetworkPrefix {
        NetworkPrefix::of(raw.parse().unwrap())
    }

    #[test]
    fn throttle_bucket_round_trips_without_storing_the_username() {
        let username = Username::parse("ada@example.org").unwrap();
        let account = |place| Bucket::Account {
            username: username.clone(),
            kind: CredentialKind::Totp,
            source: place,
        };
        for bucket in [
            Bucket::Network(RateClass::Guesses, network("192.0.2.7")),
            Bucket::Network(RateClass::Tokens, network("2001:db8::1")),
            Bucket::Network(
                RateClass::Guesses,
                NetworkPrefix::parse("2001:db8::/48").unwrap(),
            ),
            account(AttemptSource::Unknown),
            account(AttemptSource::NetworkPrefix(network("2001:db8::1"))),
            account(AttemptSource::Device(TokenHash::new("abc"))),
        ] {
            let [who, what, place] = bucket.key();
            assert_eq!(who.is_empty(), bucket.username().is_none());
            assert!(!who.contains("ada"));
            assert_eq!(
                Bucket::parse(bucket.username(), &what, &place),
                Some(bucket)
            );
        }
        assert_eq!(Bucket::parse(None, "password", ""), None);
        assert_eq!(
            Bucket::parse(Some(&username), "password", "elsewhere"),
            None
        );
    }
}
