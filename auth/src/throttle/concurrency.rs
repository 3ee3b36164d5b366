//! Tries of one bucket that are under way at once on this node: a few where nobody has failed yet, else one after the
//! other, so that of five hundred parallel guesses no more are answered than of five hundred in a row.

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
use crate::AuthError;

/// Buckets share them by a keyed hash, so nobody can choose whom to stand beside.
const SLOTS: usize = 1_024;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) struct AttemptSlots {
    slots: Vec<Slot>,
    hash_builder: RandomState,
}

struct Slot {
    permits: Arc<Semaphore>,
    /// Failures that were charged here.
    failures: AtomicU64,
}

/// The right to try, until dropped.
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
        }
    }

    /// Without waiting, if there is room.
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
    /// [`AuthError::Busy`] when it takes too long.
    pub(crate) async fn acquire(
        &self,
        key: &impl Hash,
        concurrency: Concurrency,
    ) -> Result<SlotGuard, AuthError> {
        let lane = self
            .slot(key)
            .ok_or(AuthError::Internal("there are no lanes"))?;
        let slot = Arc::clone(&lane.permits).acquire_many_owned(permits(concurrency));
        match tokio::time::timeout(ACQUIRE_TIMEOUT, slot).await {
            Ok(Ok(permit)) => Ok(SlotGuard {
                concurrency,
                _permit: permit,
            }),
            _ => Err(AuthError::HasherBusy {
                retry_after: ACQUIRE_TIMEOUT,
            }),
        }
    }

    /// Grows with every charge: who read a count before it changed has to read again.
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
