//! How many letters went to addresses that their account has not confirmed. Such an address may be a stranger's, whoever
//! typed it and with however many accounts, so each gets only so many a day. Each node counts by itself.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{EmailAddress, Username};

const MAX_PER_DAY: u8 = 10;
/// Whoever asks for more waits so long.
pub(crate) const RETRY_AFTER: Duration = Duration::from_hours(24);
const DAY: i64 = 24 * 60 * 60;
/// Shared by a keyed hash, so that memory does not grow and nobody chooses whom to stand beside.
const SLOTS: usize = 16_384;

pub(crate) struct UnverifiedMailLimit {
    /// The day, and how many on it.
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

    /// Counts a letter to a mailbox: `ada+shop@example.org` is that of `Ada@example.org`.
    pub(crate) fn allow_mailbox(&self, to: &EmailAddress, now: Timestamp) -> bool {
        let address = to.as_str().to_lowercase();
        let (local, host) = address.split_once('@').unwrap_or((&address, ""));
        let mailbox = local.split('+').next().unwrap_or(local);
        self.count(&format!("{mailbox}@{host}"), now)
    }

    /// Counts a letter that an account has sent to somebody else's mailbox.
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
        let (strangers, now) = (
            UnverifiedMailLimit::new(),
            Timestamp::from_second(1_800_000_000).unwrap(),
        );
        let write = |raw: &str, day: i64| {
            let at = Timestamp::from_second(now.as_second() + day * DAY).unwrap();
            strangers.allow_mailbox(&EmailAddress::parse(raw).unwrap(), at)
        };
        let written = (0..40)
            .filter(|n| write(&format!("Ada+{n}@Example.org"), 0))
            .count();
        assert_eq!(written, usize::from(MAX_PER_DAY));
        assert!(!write("ada@example.org", 0) && write("ada@example.org", 1));
    }
}
