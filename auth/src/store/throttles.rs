//! Throttles: how often secrets were tried in vain, and from which places accounts have signed in before. Kept over
//! restarts and shared by all nodes. What follows from a count is decided in [`guessing`](crate::guessing).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use super::Answer;
use crate::{Actor, Origin, Session, SessionKind, TokenHash, Username, guessing::Secret};

/// Where tries come from, as far as they are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// An IPv4 address, also when written as `::ffff:a.b.c.d`: what one customer of a provider has.
    Address(Ipv4Addr),
    /// An IPv6 /64, the least that one customer has.
    Subnet(Ipv6Addr),
    /// An IPv6 /48, the most that one customer has (RFC 6177 §2): 65,536 of the above.
    Site(Ipv6Addr),
}

impl Network {
    /// The smallest that is somebody's.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self::Subnet(cut(address, 64)),
            IpAddr::V4(address) => Self::Address(address),
        }
    }

    /// All that `address` is in, the smallest first.
    pub fn all_of(address: IpAddr) -> impl Iterator<Item = Self> {
        let smallest = Self::of(address);
        let site = match smallest {
            Self::Subnet(address) => Some(Self::Site(cut(address, 48))),
            Self::Address(_) | Self::Site(_) => None,
        };
        std::iter::once(smallest).chain(site)
    }

    /// As many customers at most are taken for one: a site may be one with 65,536 subnets to come from, or a company
    /// with many.
    pub(crate) fn customers(self) -> usize {
        match self {
            Self::Address(_) | Self::Subnet(_) => 1,
            Self::Site(_) => 10,
        }
    }

    /// Takes what [`Display`](fmt::Display) wrote, or any address for the smallest that it is in.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        match raw.strip_suffix("/48") {
            Some(site) => site
                .parse()
                .ok()
                .map(|address| Self::Site(cut(address, 48))),
            None => raw
                .strip_suffix("/64")
                .unwrap_or(raw)
                .parse()
                .ok()
                .map(Self::of),
        }
    }
}

fn cut(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - bits)))
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Subnet(address) => write!(f, "{address}/64"),
            Self::Site(address) => write!(f, "{address}/48"),
        }
    }
}

/// From where an account's secrets are tried.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// From wherever the account has not signed in before, all together.
    Strange,
    /// A network that it has signed in from.
    Network(Network),
    /// A browser that it has signed in with.
    Device(TokenHash),
}

impl Place {
    /// As it is stored.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Strange => String::new(),
            Self::Network(network) => format!("network {network}"),
            Self::Device(device) => format!("device {}", device.as_str()),
        }
    }

    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        match key.split_once(' ') {
            None if key.is_empty() => Some(Self::Strange),
            Some(("network", network)) => Network::parse(network).map(Self::Network),
            Some(("device", hash)) => Some(Self::Device(TokenHash::new(hash))),
            _ => None,
        }
    }
}

impl Origin {
    /// What an account that tries something from here may be known by: its device first.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let device = self.device.clone().map(Place::Device);
        device
            .into_iter()
            .chain([Place::Network(Network::of(self.address))])
            .collect()
    }
}

impl Session {
    /// Where its owner is no stranger from then on. Only a web session's browser keeps what it was given.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let mut places = self.origin.places();
        places.retain(|place| match self.kind {
            SessionKind::Web => true,
            SessionKind::Tokens => !matches!(place, Place::Device(_)),
            SessionKind::Personal => false,
        });
        places
    }
}

/// What a network's failures are counted apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tries {
    /// At secrets that can be guessed, of any account.
    Guesses,
    /// At long random ones.
    Tokens,
    /// Accounts that were made: no failures, but not to be had without end either.
    Accounts,
}

impl Tries {
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
    Network(Tries, Network),
    /// One kind of secret of one account, or of nobody by that name, tried from one place.
    Account {
        username: Username,
        secret: Secret,
        place: Place,
    },
}

impl Bucket {
    /// As it is stored, a key of three parts: whose (empty for networks), what is tried, from where. A name is hashed,
    /// since what somebody typed as a name may be a password.
    #[must_use]
    pub fn key(&self) -> [String; 3] {
        match self {
            Self::Network(tries, of) => [String::new(), tries.as_str().to_owned(), of.to_string()],
            Self::Account {
                username,
                secret,
                place,
            } => [
                Self::key_of(username),
                secret.as_str().to_owned(),
                place.key(),
            ],
        }
    }

    /// The first part of all keys of an account.
    #[must_use]
    pub fn key_of(username: &Username) -> String {
        hex::encode(&digest(&SHA256, format!("throttle {username}").as_bytes()).as_ref()[..16])
    }

    /// Takes one back that is a network's, or of an account that there is.
    #[must_use]
    pub fn parse(username: Option<&Username>, what: &str, place: &str) -> Option<Self> {
        let Some(username) = username else {
            let tries = Tries::ALL
                .into_iter()
                .find(|tries| tries.as_str() == what)?;
            return Network::parse(place).map(|network| Self::Network(tries, network));
        };
        let (secret, place) = (Secret::parse(what)?, Place::parse(place)?);
        Some(Self::Account {
            username: username.clone(),
            secret,
            place,
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
pub struct Tally {
    pub bucket: Bucket,
    /// Since it was last settled or forgotten.
    pub failures: u32,
    pub last_at: Timestamp,
    /// What its charges cost is over then.
    pub paid_off_at: Timestamp,
}

/// What the gate asks before each try.
#[derive(Clone, Debug)]
pub struct Inquiry {
    pub buckets: Vec<Bucket>,
    /// Places to look for among those that somebody has signed in from.
    pub places: Option<(Username, Vec<Place>)>,
}

#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Of the buckets asked for, those that somebody failed in.
    pub tallies: Vec<Tally>,
    /// Of the places asked for, those that are known.
    pub known: Vec<Place>,
}

/// One failure, for one bucket.
#[derive(Clone, Debug)]
pub struct Charge {
    pub bucket: Bucket,
    /// How much later it is paid off.
    pub cost: Duration,
    /// It is paid off so long from now at the latest.
    pub most: Duration,
}

/// Whose failures are forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    Account(Username),
    /// Of the network itself, whoever's secrets were tried.
    Network(Network),
}

/// What is worth an administrator's look.
#[derive(Clone, Copy, Debug)]
pub struct Noteworthy {
    /// Accounts with so many failures; names that are nobody's do not count.
    pub failures: u32,
    /// Networks that have not paid their guesses off by then.
    pub owing_at: Timestamp,
}

/// What nobody needs any more.
#[derive(Clone, Copy, Debug)]
pub struct Forgettable {
    /// Networks that have paid off by then.
    pub paid_off_by: Timestamp,
    /// Names without an account that nobody tried since.
    pub nobody_since: Timestamp,
    /// Places that nobody signed in from since.
    pub unseen_since: Timestamp,
}

/// Places are learned by [`start_session`](super::AuthStore::start_session).
pub trait ThrottleStore: Clone + Send + Sync + 'static {
    fn throttles(&self, inquiry: Inquiry) -> impl Future<Output = Answer<Found>> + Send;
    /// All of them, in the order given, networks first. Of any number of parallel calls each counts. Answers what the
    /// tallies are now.
    fn charge(
        &self,
        charges: Vec<Charge>,
        at: Timestamp,
    ) -> impl Future<Output = Answer<Vec<Tally>>> + Send;
    /// Forgets the failures of one bucket.
    fn settle(&self, bucket: Bucket) -> impl Future<Output = Answer<()>> + Send;
    /// Forgets the failures at one kind of secret, from wherever, because there is a new one.
    fn settle_all(
        &self,
        username: &Username,
        secret: Secret,
    ) -> impl Future<Output = Answer<()>> + Send;
    /// Latest failure first, at most 1,000.
    fn noteworthy(&self, what: Noteworthy) -> impl Future<Output = Answer<Vec<Tally>>> + Send;
    /// Forgets failures and says so in the audit; answers how many buckets there were.
    fn lift(
        &self,
        whose: Whose,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = Answer<u64>> + Send;
    /// Answers how many buckets and places were forgotten.
    fn forget_throttles(&self, what: Forgettable) -> impl Future<Output = Answer<u64>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(raw: &str) -> Network {
        Network::of(raw.parse().unwrap())
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
        let all: Vec<String> = Network::all_of("2001:db8:1:2:3::1".parse().unwrap())
            .map(|it| it.to_string())
            .collect();
        assert_eq!(all, ["2001:db8:1:2::/64", "2001:db8:1::/48"]);
        for name in &all {
            assert_eq!(Network::parse(name).unwrap().to_string(), *name);
        }
        assert_eq!(
            Network::all_of("::ffff:192.0.2.7".parse().unwrap()).count(),
            1
        );
        for wrong in [
            "192.0.2.7/48",
            "2001:db8::/32",
            "/48",
            "2001:db8::/48/48",
            "",
        ] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn throttle_bucket_round_trips_without_storing_the_username() {
        let username = Username::parse("ada@example.org").unwrap();
        let account = |place| Bucket::Account {
            username: username.clone(),
            secret: Secret::Totp,
            place,
        };
        for bucket in [
            Bucket::Network(Tries::Guesses, network("192.0.2.7")),
            Bucket::Network(Tries::Tokens, network("2001:db8::1")),
            Bucket::Network(Tries::Guesses, Network::parse("2001:db8::/48").unwrap()),
            account(Place::Strange),
            account(Place::Network(network("2001:db8::1"))),
            account(Place::Device(TokenHash::new("abc"))),
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
