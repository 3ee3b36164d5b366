//! How often somebody may be wrong: failures per address and per account, asked before any hashing.
//!
//! In memory, so a restart forgets. Whatever replaces it answers the same three calls.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{AuthError, Username, clock};

/// Failures of one account: a burst of 20, then one every 15 s.
const ACCOUNT: Limit = Limit { burst: 20, window: Duration::from_mins(5) };
/// Failures from one address: a burst of 100, then one every 3 s. A whole office may share an address.
const ADDRESS: Limit = Limit { burst: 100, window: Duration::from_mins(5) };
/// Accounts and addresses that are remembered at once, each.
const REMEMBERED: usize = 20_000;

struct Limit {
    burst: u32,
    window: Duration,
}

impl Limit {
    fn cost(&self) -> Duration {
        self.window / self.burst
    }
}

/// The generic cell rate algorithm (ITU-T I.371): one moment a key, before which its failures are paid off. Failures
/// that were in flight together are all charged, so asking before counting lets nobody guess more in the long run.
struct Debts<K> {
    limit: Limit,
    paid_off_at: HashMap<K, Timestamp>,
}

impl<K: Hash + Eq> Debts<K> {
    fn new(limit: Limit) -> Self {
        Self { limit, paid_off_at: HashMap::new() }
    }

    fn ask(&self, key: &K, now: Timestamp) -> Result<(), AuthError> {
        let Some(paid_off_at) = self.paid_off_at.get(key) else { return Ok(()) };
        let debt = clock::between(now, *paid_off_at) + self.limit.cost();
        match debt.checked_sub(self.limit.window) {
            Some(left) if !left.is_zero() => Err(AuthError::Throttled { retry_after: left }),
            _ => Ok(()),
        }
    }

    fn failed(&mut self, key: K, now: Timestamp) {
        if self.paid_off_at.len() >= REMEMBERED && !self.paid_off_at.contains_key(&key) {
            self.make_room(now);
        }
        // Bounded, so that nobody is kept out for longer than a few windows by what others do.
        let most = clock::after(now, self.limit.window * 3);
        let paid_off_at = self.paid_off_at.entry(key).or_insert(now);
        *paid_off_at = clock::after((*paid_off_at).max(now), self.limit.cost()).min(most);
    }

    /// First those who owe nothing; then those who owe least, so that a flood of new names frees nobody who is throttled.
    fn make_room(&mut self, now: Timestamp) {
        self.paid_off_at.retain(|_, paid_off_at| *paid_off_at > now);
        if self.paid_off_at.len() < REMEMBERED {
            return;
        }
        let mut moments: Vec<Timestamp> = self.paid_off_at.values().copied().collect();
        let (_, least, _) = moments.select_nth_unstable(REMEMBERED / 10);
        let least = *least;
        let mut leave = REMEMBERED / 10;
        self.paid_off_at.retain(|_, paid_off_at| {
            let stays = *paid_off_at > least || leave == 0;
            leave -= usize::from(!stays);
            stays
        });
    }
}

/// See the module.
pub(crate) struct Throttle {
    state: Mutex<State>,
}

struct State {
    accounts: Debts<Username>,
    addresses: Debts<IpAddr>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State { accounts: Debts::new(ACCOUNT), addresses: Debts::new(ADDRESS) }) }
    }

    /// Whether one more attempt may be made. `account` is `None` for a name that cannot be anybody's; one that is
    /// nobody's counts like any other, so the answer says nothing about who exists.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] with the time left.
    pub(crate) fn ask(&self, account: Option<&Username>, from: IpAddr, now: Timestamp) -> Result<(), AuthError> {
        let state = self.state();
        state.addresses.ask(&network(from), now)?;
        account.map_or(Ok(()), |account| state.accounts.ask(account, now))
    }

    pub(crate) fn failed(&self, account: Option<&Username>, from: IpAddr, now: Timestamp) {
        let mut state = self.state();
        state.addresses.failed(network(from), now);
        if let Some(account) = account {
            state.accounts.failed(account.clone(), now);
        }
    }

    /// Clears the account's count. The address keeps its own: one good account must not pay for guessing others.
    pub(crate) fn succeeded(&self, account: &Username) {
        self.state().accounts.paid_off_at.remove(account);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one customer of a provider has: an IPv4 address, also when written as `::ffff:a.b.c.d`, or an IPv6 /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn name(raw: &str) -> Username {
        Username::parse(raw).unwrap()
    }

    fn ip(raw: &str) -> IpAddr {
        raw.parse().unwrap()
    }

    #[test]
    fn the_twenty_first_failure_waits_and_the_wait_is_told() {
        let throttle = Throttle::new();
        for n in 0..20 {
            throttle.ask(Some(&name("ada")), ip("192.0.2.1"), at(0)).unwrap();
            throttle.failed(Some(&name("ada")), ip(&format!("192.0.2.{n}")), at(0));
        }
        let refused = throttle.ask(Some(&name("ada")), ip("192.0.2.99"), at(5));
        assert!(
            matches!(refused, Err(AuthError::Throttled { retry_after }) if retry_after == Duration::from_secs(10)),
            "{refused:?}"
        );
        throttle.ask(Some(&name("ada")), ip("192.0.2.99"), at(15)).unwrap();
        throttle.ask(Some(&name("bob")), ip("192.0.2.99"), at(5)).unwrap();
    }

    #[test]
    fn a_success_clears_the_account_but_not_the_address() {
        let throttle = Throttle::new();
        for n in 0..100 {
            throttle.failed(Some(&name(&format!("ada{}", n % 20))), ip("192.0.2.1"), at(0));
        }
        throttle.succeeded(&name("ada1"));
        assert!(throttle.ask(Some(&name("ada1")), ip("192.0.2.1"), at(0)).is_err());
        throttle.ask(Some(&name("ada1")), ip("192.0.2.2"), at(0)).unwrap();
    }

    #[test]
    fn an_ipv6_customer_is_one_address_and_mapped_ipv4_is_ipv4() {
        let throttle = Throttle::new();
        for n in 0..100 {
            throttle.failed(None, ip(&format!("2001:db8:1:2:{n:x}::1")), at(0));
            throttle.failed(None, ip("::ffff:192.0.2.7"), at(0));
        }
        assert!(throttle.ask(None, ip("2001:db8:1:2:ffff:ffff::9"), at(0)).is_err());
        assert!(throttle.ask(None, ip("192.0.2.7"), at(0)).is_err());
        throttle.ask(None, ip("2001:db8:1:3::1"), at(0)).unwrap();
        throttle.ask(None, ip("192.0.2.8"), at(0)).unwrap();
    }

    #[test]
    fn failures_in_flight_together_are_all_charged() {
        let throttle = Throttle::new();
        for _ in 0..40 {
            throttle.failed(Some(&name("ada")), ip("192.0.2.1"), at(0));
        }
        assert!(throttle.ask(Some(&name("ada")), ip("192.0.2.2"), at(15)).is_err());
        throttle.ask(Some(&name("ada")), ip("192.0.2.2"), at(315)).unwrap();
    }

    #[test]
    fn a_flood_of_names_neither_grows_for_ever_nor_frees_the_throttled() {
        let throttle = Throttle::new();
        for _ in 0..20 {
            throttle.failed(Some(&name("ada")), ip("192.0.2.1"), at(0));
        }
        for n in 0..50_000 {
            throttle.failed(Some(&name(&format!("x{n}"))), ip("192.0.2.1"), at(0));
        }
        assert!(throttle.state().accounts.paid_off_at.len() <= REMEMBERED);
        assert!(throttle.ask(Some(&name("ada")), ip("192.0.2.2"), at(0)).is_err());
    }
}
