//! Limit on mails to unverified addresses: ten a day per mailbox and per account. Such an address
//! may belong to another person. Each node counts on its own.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{EmailAddress, Username};

const MAX_PER_DAY: u8 = 10;
/// `Retry-After` for a further mail.
pub(crate) const RETRY_AFTER: Duration = Duration::from_hours(24);
const DAY: i64 = 24 * 60 * 60;
/// Counters share slots by a keyed hash. Memory stays constant, and an attacker cannot choose a
/// victim's slot.
const SLOTS: usize = 16_384;

pub(crate) struct UnverifiedMailLimit {
    /// The day, and the mails sent on it.
    slots: Mutex<Vec<(i64, u8)>>,
    hash_builder: RandomState,
}

impl UnverifiedMailLimit {
    pub(crate) fn new() -> Self {
        Self {
            slots: Mutex::new(vec![(0, 0); SLOTS]),
            hash_builder: RandomState::new(),
        }
    }

    /// Counts a mail to a mailbox. `ada+shop@example.org` and `Ada@example.org` are the same
    /// mailbox.
    pub(crate) fn allow_mailbox(&self, to: &EmailAddress, now: Timestamp) -> bool {
        let address = to.as_str().to_lowercase();
        let (local, host) = address.split_once('@').unwrap_or((&address, ""));
        let mailbox = local.split('+').next().unwrap_or(local);
        self.count(&format!("{mailbox}@{host}"), now)
    }

    /// Counts a mail that an account sends to an address of another person.
    pub(crate) fn allow_account(&self, account: &Username, now: Timestamp) -> bool {
        self.count(account.as_str(), now)
    }

    fn count(&self, key: &str, now: Timestamp) -> bool {
        let n = self.hash_builder.hash_one(key) % SLOTS as u64;
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = slots.get_mut(usize::try_from(n).unwrap_or_default()) else {
            return false;
        };
        let today = now.as_second().div_euclid(DAY);
        if slot.0 != today {
            *slot = (today, 0);
        }
        if slot.1 >= MAX_PER_DAY {
            return false;
        }
        slot.1 += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unverified_mailbox_gets_ten_mails_a_day() {
        let (limit, now) = (
            UnverifiedMailLimit::new(),
            Timestamp::from_second(1_800_000_000).unwrap(),
        );
        let allow = |raw: &str, day: i64| {
            let at = Timestamp::from_second(now.as_second() + day * DAY).unwrap();
            limit.allow_mailbox(&EmailAddress::parse(raw).unwrap(), at)
        };
        let allowed = (0..40)
            .filter(|n| allow(&format!("Ada+{n}@Example.org"), 0))
            .count();
        assert_eq!(allowed, usize::from(MAX_PER_DAY));
        assert!(!allow("ada@example.org", 0) && allow("ada@example.org", 1));
    }
}
