//! Rate limit of password strength checks, per client address. It allows typing but not testing of
//! password lists.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const WINDOW: Duration = Duration::from_mins(1);
/// Checks per address and window. A slow typist causes one check per character.
const MAX_CHECKS: u32 = 90;
/// Addresses counted at once. Further addresses are rejected until the next window.
const MAX_NETWORKS: usize = 10_000;

#[derive(Debug, Default)]
pub struct StrengthLimit(Mutex<Option<(Instant, HashMap<IpAddr, u32>)>>);

impl StrengthLimit {
    /// False if the address has reached the limit.
    pub(crate) fn allow(&self, address: IpAddr) -> bool {
        let now = Instant::now();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = state
            .take()
            .filter(|(began, _)| now.duration_since(*began) < WINDOW);
        let (_, counts) = state.insert(fresh.unwrap_or_else(|| (now, HashMap::new())));
        let network = network_prefix(address);
        if counts.len() >= MAX_NETWORKS && !counts.contains_key(&network) {
            return false;
        }
        let count = counts.entry(network).or_default();
        *count += 1;
        *count <= MAX_CHECKS
    }
}

/// An IPv4 address, or the /64 of an IPv6 one.
fn network_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strength_check_limit_applies_per_network() {
        let meter = StrengthLimit::default();
        let rotating = |n: u32| -> IpAddr { format!("2001:db8:1:2:{n:x}::1").parse().unwrap() };
        assert!((0..MAX_CHECKS).all(|n| meter.allow(rotating(n))));
        assert!(!meter.allow(rotating(1)));
        assert!(meter.allow(IpAddr::from([192, 0, 2, 1])));
    }
}
