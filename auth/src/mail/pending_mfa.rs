//! The notice of a right password without its second factor. It waits as long as the sign-in may take,
//! so that an owner who completes it gets none.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{Origin, Username, clock};

/// As long as an MFA challenge, and a moment for its answer.
const WAIT: Duration = Duration::from_secs(5 * 60 + 10);
/// Notices in memory. Further ones are in the audit log only.
const MAX_PENDING: usize = 1_000;

#[derive(Debug, Default)]
pub(crate) struct PendingMfaNotices(Mutex<Vec<PendingMfaNotice>>);

#[derive(Debug)]
pub(super) struct PendingMfaNotice {
    pub(super) owner: Username,
    pub(super) from: Origin,
    pub(super) at: Timestamp,
}

impl PendingMfaNotices {
    /// One for each owner and address.
    pub(crate) fn add(&self, owner: &Username, from: &Origin, at: Timestamp) {
        let mut pending = self.lock();
        let is_there = pending
            .iter()
            .any(|known| known.owner == *owner && known.from.address == from.address);
        if is_there || pending.len() >= MAX_PENDING {
            return;
        }
        pending.push(PendingMfaNotice {
            owner: owner.clone(),
            from: from.clone(),
            at,
        });
    }

    pub(super) fn take_due(&self, now: Timestamp) -> Vec<PendingMfaNotice> {
        let mut pending = self.lock();
        pending
            .extract_if(.., |notice| !clock::is_within(notice.at, WAIT, now))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PendingMfaNotice>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
