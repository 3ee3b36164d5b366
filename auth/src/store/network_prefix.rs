//! Groups of addresses that one customer of an access provider may hold.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A group of addresses whose failures are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetworkPrefix {
    /// An IPv4 address, also in the form `::ffff:a.b.c.d`: typically one customer of an access
    /// provider.
    V4(Ipv4Addr),
    /// An IPv6 /64, the smallest prefix of one customer.
    V6Subnet(Ipv6Addr),
    /// An IPv6 /48, the largest prefix of one customer (RFC 6177 §2): 65,536 of the above.
    V6Site(Ipv6Addr),
}

impl NetworkPrefix {
    /// The smallest prefix that contains the address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self::V6Subnet(mask(address, 64)),
            IpAddr::V4(address) => Self::V4(address),
        }
    }

    /// All prefixes that contain `address`, the smallest first.
    pub fn all_of(address: IpAddr) -> impl Iterator<Item = Self> {
        let smallest = Self::of(address);
        let site = match smallest {
            Self::V6Subnet(address) => Some(Self::V6Site(mask(address, 48))),
            Self::V4(_) | Self::V6Site(_) => None,
        };
        std::iter::once(smallest).chain(site)
    }

    /// The number of customers that a prefix stands for, at most. A site may be one customer with
    /// 65,536 subnets, or a company with many users.
    pub(crate) fn shared_by(self) -> usize {
        match self {
            Self::V4(_) | Self::V6Subnet(_) => 1,
            Self::V6Site(_) => 10,
        }
    }

    /// Parses the output of [`Display`](fmt::Display), or any address as its smallest prefix.
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
}
