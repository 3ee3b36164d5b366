//! The limit on password checks: 90 a minute per network. A slow typist causes one check per
//! character.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock, Reference},
    middleware::NoOpMiddleware,
    state::keyed::HashMapStateStore,
};

const MAX_CHECKS: NonZeroU32 = NonZeroU32::MIN.saturating_add(89);
/// Networks share slots by a keyed hash. Memory stays constant, and an attacker cannot choose a
/// victim's slot.
const SLOTS: u64 = 16_384;

type Slots<C> = RateLimiter<u64, HashMapStateStore<u64>, C, NoOpMiddleware<<C as Clock>::Instant>>;

#[derive(Debug)]
pub struct StrengthLimit<C: Clock<Instant: Reference> = MonotonicClock> {
    slots: Slots<C>,
    hash_builder: RandomState,
}

impl Default for StrengthLimit {
    fn default() -> Self {
        Self::new(MonotonicClock)
    }
}

impl<C: Clock<Instant: Reference>> StrengthLimit<C> {
    fn new(clock: C) -> Self {
        let quota = Quota::per_minute(MAX_CHECKS);
        Self {
            slots: RateLimiter::new(quota, HashMapStateStore::default(), clock),
            hash_builder: RandomState::new(),
        }
    }

    /// False if the network of the address has reached the limit.
    pub(crate) fn allow(&self, address: IpAddr) -> bool {
        let slot = self.hash_builder.hash_one(network_prefix(address)) % SLOTS;
        self.slots.check_key(&slot).is_ok()
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
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn strength_check_limit_applies_per_network() {
        let clock = FakeRelativeClock::default();
        let limit = StrengthLimit::new(clock.clone());
        let rotating = |n: u32| -> IpAddr { format!("2001:db8:1:2:{n:x}::1").parse().unwrap() };
        assert!((0..MAX_CHECKS.get()).all(|n| limit.allow(rotating(n))));
        assert!(!limit.allow(rotating(1)));
        assert!(limit.allow(IpAddr::from([192, 0, 2, 1])));
        clock.advance(Duration::from_mins(1) / MAX_CHECKS.get());
        assert!(limit.allow(rotating(2)) && !limit.allow(rotating(3)));
    }
}
