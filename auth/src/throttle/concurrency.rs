//! Concurrent attempts per bucket on this node: five where there are no failures, otherwise one at
//! a time. Five hundred parallel guesses get no more answers than five hundred sequential ones.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::policy::{Concurrency, FREE_FAILURES};
use crate::{AuthError, error::ThrottleError};

/// Buckets share slots by a keyed hash, so an attacker cannot choose a victim's slot.
const SLOTS: usize = 1_024;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) struct AttemptSlots {
    slots: Vec<Slot>,
    hash_builder: RandomState,
    acquire_timeout: Duration,
}

struct Slot {
    permits: Arc<Semaphore>,
    /// Failures that were charged in this slot.
    failures: AtomicU64,
}

/// The right to one attempt, until dropped.
#[derive(Debug)]
pub(crate) struct SlotGuard {
    concurrency: Concurrency,
    _permit: OwnedSemaphorePermit,
}

impl SlotGuard {
    pub(crate) fn covers(&self, concurrency: Concurrency) -> bool {
        self.concurrency >= concurrency
    }
}

impl AttemptSlots {
    pub(crate) fn new() -> Self {
        let slot = || Slot {
            permits: Arc::new(Semaphore::new(FREE_FAILURES as usize)),
            failures: AtomicU64::new(0),
        };
        Self {
            slots: std::iter::repeat_with(slot).take(SLOTS).collect(),
            hash_builder: RandomState::new(),
            acquire_timeout: ACQUIRE_TIMEOUT,
        }
    }

    #[cfg(test)]
    pub(crate) fn set_acquire_timeout(&mut self, timeout: Duration) {
        self.acquire_timeout = timeout;
    }

    /// Acquires without waiting, if the slot has permits.
    pub(crate) fn try_acquire(
        &self,
        key: &impl Hash,
        concurrency: Concurrency,
    ) -> Option<SlotGuard> {
        let permit = Arc::clone(&self.slot(key)?.permits)
            .try_acquire_many_owned(permits(concurrency))
            .ok()?;
        Some(SlotGuard {
            concurrency,
            _permit: permit,
        })
    }

    /// # Errors
    /// `ThrottleError::HasherBusy` after the timeout.
    pub(crate) async fn acquire(
        &self,
        key: &impl Hash,
        concurrency: Concurrency,
    ) -> Result<SlotGuard, AuthError> {
        let slot = self
            .slot(key)
            .ok_or(AuthError::Internal("no attempt slot exists"))?;
        let permit = Arc::clone(&slot.permits).acquire_many_owned(permits(concurrency));
        match tokio::time::timeout(self.acquire_timeout, permit).await {
            Ok(Ok(permit)) => Ok(SlotGuard {
                concurrency,
                _permit: permit,
            }),
            _ => Err(AuthError::Throttle(ThrottleError::HasherBusy {
                retry_after: ACQUIRE_TIMEOUT,
            })),
        }
    }

    /// Grows with every charge. A count that was read before a change is stale.
    pub(crate) fn failures(&self, key: &impl Hash) -> u64 {
        self.slot(key)
            .map_or(0, |slot| slot.failures.load(Ordering::Acquire))
    }

    pub(crate) fn record_failure(&self, key: &impl Hash) {
        if let Some(slot) = self.slot(key) {
            slot.failures.fetch_add(1, Ordering::Release);
        }
    }

    fn slot(&self, key: &impl Hash) -> Option<&Slot> {
        let n = self.hash_builder.hash_one(key) % SLOTS as u64;
        self.slots.get(usize::try_from(n).unwrap_or_default())
    }
}

fn permits(concurrency: Concurrency) -> u32 {
    match concurrency {
        Concurrency::Shared => 1,
        Concurrency::Exclusive => FREE_FAILURES,
    }
}
