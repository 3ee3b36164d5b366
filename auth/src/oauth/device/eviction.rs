//! Which pending code gives way to a new one, so that a flood from many networks shuts nobody out.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use jiff::Timestamp;

use super::DeviceGrant;
use crate::store::one_time::StoredToken;

/// An expired code, or the oldest code of the network with the most. Only codes that no user has
/// looked at are chosen.
pub(super) fn choose(
    stored: &[StoredToken<DeviceGrant>],
    now: Timestamp,
) -> Option<&StoredToken<DeviceGrant>> {
    let is_expired = |one: &&StoredToken<DeviceGrant>| one.body.expires_at <= now;
    if let Some(expired) = stored.iter().find(is_expired) {
        return Some(expired);
    }
    // Oldest first; the list is newest first.
    let unseen = || {
        let oldest_first = stored.iter().rev();
        oldest_first.filter(|one| one.body.claimed_by.is_none())
    };
    let mut counts: HashMap<IpAddr, usize> = HashMap::new();
    for one in unseen() {
        *counts.entry(network(one)).or_default() += 1;
    }
    unseen().min_by_key(|one| {
        let count = counts.get(&network(one)).copied().unwrap_or_default();
        (std::cmp::Reverse(count), one.body.began_at)
    })
}

/// The network that a customer with many addresses may hold: /24 or /48.
fn network(one: &StoredToken<DeviceGrant>) -> IpAddr {
    match one.body.address.to_canonical() {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8)).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 80)).into(),
    }
}
