//! Limit on mails to unverified addresses: a burst of ten, then ten a day, per mailbox and per account.
//! Such an address may belong to another person. Each node counts on its own.

use std::{
    hash::{BuildHasher as _, RandomState},
    num::NonZeroU32,
    time::Duration,
};

use governor::{Quota, RateLimiter, middleware::NoOpMiddleware, state::keyed::HashMapStateStore};

use crate::{Clock, EmailAddress, Username, clock::SteadyClock};

const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
const INTERVAL: Duration = Duration::from_mins(24 * 60 / 10);
/// `Retry-After` for a further mail.
pub(crate) const RETRY_AFTER: Duration = Duration::from_hours(24);
/// Addresses share slots by a keyed hash. Memory stays constant, and an attacker cannot choose a
/// victim's slot.
const SLOTS: u64 = 16_384;

type Slots = RateLimiter<u64, HashMapStateStore<u64>, SteadyClock, NoOpMiddleware<Duration>>;

pub(crate) struct UnverifiedMailLimit {
    slots: Slots,
    hash_builder: RandomState,
}

impl UnverifiedMailLimit {
    pub(crate) fn new(clock: Clock) -> Self {
        // `with_period` is `None` only for a period of zero.
        let quota = Quota::with_period(INTERVAL).unwrap_or(Quota::per_hour(NonZeroU32::MIN));
        let quota = quota.allow_burst(BURST);
        Self {
            slots: RateLimiter::new(quota, HashMapStateStore::default(), SteadyClock::new(clock)),
            hash_builder: RandomState::new(),
        }
    }

    /// Counts a mail to a mailbox. `ada+shop@example.org` and `Ada@example.org` are the same
    /// mailbox.
    pub(crate) fn allow_mailbox(&self, to: &EmailAddress) -> bool {
        let address = to.as_str().to_lowercase();
        let (local, host) = address.split_once('@').unwrap_or((&address, ""));
        let mailbox = local.split('+').next().unwrap_or(local);
        self.count(&format!("{mailbox}@{host}"))
    }

    /// Counts a mail that an account sends to an address of another person.
    pub(crate) fn allow_account(&self, account: &Username) -> bool {
        self.count(account.as_str())
    }

    fn count(&self, key: &str) -> bool {
        let slot = self.hash_builder.hash_one(key) % SLOTS;
        self.slots.check_key(&slot).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    use jiff::Timestamp;

    use super::*;

    #[test]
    fn unverified_mailbox_gets_ten_mails_a_day() {
        let second = Arc::new(AtomicI64::new(1_800_000_000));
        let shared = Arc::clone(&second);
        let clock =
            Clock::from_fn(move || Timestamp::from_second(shared.load(Ordering::Relaxed)).unwrap());
        let limit = UnverifiedMailLimit::new(clock);
        let allow = |raw: &str| limit.allow_mailbox(&EmailAddress::parse(raw).unwrap());
        let allowed = |n: &u32| allow(&format!("Ada+{n}@Example.org"));
        assert_eq!((0..40).filter(allowed).count(), 10);
        // One more after each tenth of a day.
        second.fetch_add(8_639, Ordering::Relaxed);
        assert!(!allow("ada@example.org"));
        second.fetch_add(1, Ordering::Relaxed);
        assert!(allow("ada@example.org") && !allow("ada@example.org"));
        // A clock that is set back only stops the recovery.
        second.fetch_add(-200 * 86_400, Ordering::Relaxed);
        assert!(!allow("ada@example.org"));
        second.fetch_add(86_400, Ordering::Relaxed);
        assert_eq!((0..40).filter(allowed).count(), 10);
    }
}
