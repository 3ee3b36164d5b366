//! Throttles: how often secrets were tried in vain, and from which places accounts have signed in before. Kept over
//! restarts and shared by all nodes. What follows from a count is decided in [`guessing`](crate::throttle).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use super::StoreResult;
use crate::{Actor, Origin, Session, SessionKind, TokenHash, Username, throttle::CredentialKind};

/// Where tries come from, as far as they are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetworkPrefix {
    /// An IPv4 address, also when written as `::ffff:a.b.c.d`: what one customer of a provider has.
    V4(Ipv4Addr),
    /// An IPv6 /64, the least that one customer has.
    V6Subnet(Ipv6Addr),
    /// An IPv6 /48, the most that one customer has (RFC 6177 §2): 65,536 of the above.
    V6Site(Ipv6Addr),
}

impl NetworkPrefix {
    /// The smallest that is somebody's.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self::V6Subnet(mask(address, 64)),
            IpAddr::V4(address) => Self::V4(address),
        }
    }

    /// All that `address` is in, the smallest first.
    pub fn all_of(address: IpAddr) -> impl Iterator<Item = Self> {
        let smallest = Self::of(address);
        let site = match smallest {
            Self::V6Subnet(address) => Some(Self::V6Site(mask(address, 48))),
            Self::V4(_) | Self::V6Site(_) => None,
        };
        std::iter::once(smallest).chain(site)
    }

    /// As many customers at most are taken for one: a site may be one with 65,536 subnets to come from, or a company
    /// with many.
    pub(crate) fn shared_by(self) -> usize {
        match self {
            Self::V4(_) | Self::V6Subnet(_) => 1,
            Self::V6Site(_) => 10,
        }
    }

    /// Takes what [`Display`](fmt::Display) wrote, or any address for the smallest that it is in.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        match raw.strip_suffix("/48") {
            Some(site) => site
                .parse()
                .ok()
                .map(|address| Self::V6Site(mask(address, 48))),
            None => raw
                .strip_suffix("/64")
                .unwrap_or(raw)
                .parse()
                .ok()
                .map(Self::of),
        }
    }
}

fn mask(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - bits)))
}

impl fmt::Display for NetworkPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => write!(f, "{address}"),
            Self::V6Subnet(address) => write!(f, "{address}/64"),
            Self::V6Site(address) => write!(f, "{address}/48"),
        }
    }
}

/// From where an account's secrets are tried.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AttemptSource {
    /// From wherever the account has not signed in before, all together.
    Unknown,
    /// A network that it has signed in from.
    NetworkPrefix(NetworkPrefix),
    /// A browser that it has signed in with.
    Device(TokenHash),
}

impl AttemptSource {
    /// As it is stored.
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
    /// What an account that tries something from here may be known by: its device first.
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
    /// Where its owner is no stranger from then on. Only a web session's browser keeps what it was given.
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

/// What a network's failures are counted apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// At secrets that can be guessed, of any account.
    Guesses,
    /// At long random ones.
    Tokens,
    /// Accounts that were made: no failures, but not to be had without end either.
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

/// What failures are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    Network(RateClass, NetworkPrefix),
    /// One kind of secret of one account, or of nobody by that name, tried from one place.
    Account {
        username: Username,
        kind: CredentialKind,
        source: AttemptSource,
    },
}

impl Bucket {
    /// As it is stored, a key of three parts: whose (empty for networks), what is tried, from where. A name is hashed,
    /// since what somebody typed as a name may be a password.
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

    /// Takes one back that is a network's, or of an account that there is.
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
    /// Since it was last settled or forgotten.
    pub failures: u32,
    pub last_at: Timestamp,
    /// What its charges cost is over then.
    pub tat: Timestamp,
}

/// What the gate asks before each try.
#[derive(Clone, Debug)]
pub struct ThrottleQuery {
    pub buckets: Vec<Bucket>,
    /// Places to look for among those that somebody has signed in from.
    pub sources: Option<(Username, Vec<AttemptSource>)>,
}

#[derive(Clone, Debug, Default)]
pub struct ThrottleState {
    /// Of the buckets asked for, those that somebody failed in.
    pub counts: Vec<FailureCount>,
    /// Of the places asked for, those that are known.
    pub known_sources: Vec<AttemptSource>,
}

/// One failure, for one bucket.
#[derive(Clone, Debug)]
pub struct Charge {
    pub bucket: Bucket,
    /// How much later it is paid off.
    pub cost: Duration,
    /// It is paid off so long from now at the latest.
    pub max: Duration,
}

/// Whose failures are forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThrottleTarget {
    Account(Username),
    /// Of the network itself, whoever's secrets were tried.
    Network(NetworkPrefix),
}

/// What is worth an administrator's look.
#[derive(Clone, Copy, Debug)]
pub struct LockoutQuery {
    /// Accounts with so many failures; names that are nobody's do not count.
    pub failures: u32,
    /// Networks that have not paid their guesses off by then.
    pub visible_after: Timestamp,
}

/// What nobody needs any more.
#[derive(Clone, Copy, Debug)]
pub struct PurgeCutoffs {
    /// Networks that have paid off by then.
    pub tat_before: Timestamp,
    /// Names without an account that nobody tried since.
    pub unknown_account_before: Timestamp,
    /// Places that nobody signed in from since.
    pub known_source_before: Timestamp,
}

/// Places are learned by [`start_session`](super::AuthStore::start_session).
pub trait ThrottleStore: Clone + Send + Sync + 'static {
    fn throttles(
        &self,
        query: ThrottleQuery,
    ) -> impl Future<Output = StoreResult<ThrottleState>> + Send;
    /// All of them, in the order given, networks first. Of any number of parallel calls each counts. Answers what the
    /// tallies are now.
    fn record_failures(
        &self,
        charges: Vec<Charge>,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Vec<FailureCount>>> + Send;
    /// Forgets the failures of one bucket.
    fn reset_count(&self, bucket: Bucket) -> impl Future<Output = StoreResult<()>> + Send;
    /// Forgets the failures at one kind of secret, from wherever, because there is a new one.
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
    /// Forgets failures and says so in the audit; answers how many buckets there were.
    fn lift(
        &self,
        target: ThrottleTarget,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<u64>> + Send;
    /// Answers how many buckets and places were forgotten.
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
    fn network_groups_ipv6_by_64_and_unmaps_ipv4() {
        assert_eq!(
            network("2001:db8:1:2:3::1"),
            network("2001:db8:1:2:ffff:ffff::9")
        );
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_ne!(network("192.0.2.8"), network("192.0.2.7"));
        assert_eq!(
            network("2001:db8:1:2:3::1").to_string(),
            "2001:db8:1:2::/64"
        );
    }

    #[test]
    fn ipv6_address_belongs_to_64_and_48_networks() {
        let all: Vec<String> = NetworkPrefix::all_of("2001:db8:1:2:3::1".parse().unwrap())
            .map(|it| it.to_string())
            .collect();
        assert_eq!(all, ["2001:db8:1:2::/64", "2001:db8:1::/48"]);
        for name in &all {
            assert_eq!(NetworkPrefix::parse(name).unwrap().to_string(), *name);
        }
        assert_eq!(
            NetworkPrefix::all_of("::ffff:192.0.2.7".parse().unwrap()).count(),
            1
        );
        for wrong in [
            "192.0.2.7/48",
            "2001:db8::/32",
            "/48",
            "2001:db8::/48/48",
            "",
        ] {
            assert_eq!(NetworkPrefix::parse(wrong), None, "{wrong}");
        }
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
