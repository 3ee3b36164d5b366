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

use super::rules::{FREE_FAILURES, Concurrency};
use crate::AuthError;

/// Buckets share them by a keyed hash, so nobody can choose whom to stand beside.
const LANES: usize = 1_024;
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct AttemptSlots {
    lanes: Vec<Slot>,
    spread: RandomState,
}

struct Slot {
    turns: Arc<Semaphore>,
    /// Failures that were charged here.
    charged: AtomicU64,
}

/// The right to try, until dropped.
#[derive(Debug)]
pub(crate) struct SlotGuard {
    pace: Concurrency,
    _held: OwnedSemaphorePermit,
}

impl SlotGuard {
    pub(crate) fn is_enough_for(&self, pace: Concurrency) -> bool {
        self.pace >= pace
    }
}

impl AttemptSlots {
    pub(crate) fn new() -> Self {
        let lane = || Slot {
            turns: Arc::new(Semaphore::new(FREE_FAILURES as usize)),
            charged: AtomicU64::new(0),
        };
        Self {
            lanes: std::iter::repeat_with(lane).take(LANES).collect(),
            spread: RandomState::new(),
        }
    }

    /// Without waiting, if there is room.
    pub(crate) fn try_acquire(&self, key: &impl Hash, pace: Concurrency) -> Option<SlotGuard> {
        let held = Arc::clone(&self.lane(key)?.turns)
            .try_acquire_many_owned(permits(pace))
            .ok()?;
        Some(SlotGuard { pace, _held: held })
    }

    /// # Errors
    /// [`AuthError::Busy`] when it takes too long.
    pub(crate) async fn acquire(&self, key: &impl Hash, pace: Concurrency) -> Result<SlotGuard, AuthError> {
        let lane = self
            .lane(key)
            .ok_or(AuthError::Internal("there are no lanes"))?;
        let turn = Arc::clone(&lane.turns).acquire_many_owned(permits(pace));
        match tokio::time::timeout(PATIENCE, turn).await {
            Ok(Ok(held)) => Ok(SlotGuard { pace, _held: held }),
            _ => Err(AuthError::HasherBusy {
                retry_after: PATIENCE,
            }),
        }
    }

    /// Grows with every charge: who read a count before it changed has to read again.
    pub(crate) fn charged(&self, key: &impl Hash) -> u64 {
        self.lane(key)
            .map_or(0, |lane| lane.charged.load(Ordering::Acquire))
    }

    pub(crate) fn record_failure(&self, key: &impl Hash) {
        if let Some(lane) = self.lane(key) {
            lane.charged.fetch_add(1, Ordering::Release);
        }
    }

    fn lane(&self, key: &impl Hash) -> Option<&Slot> {
        let n = self.spread.hash_one(key) % LANES as u64;
        self.lanes.get(usize::try_from(n).unwrap_or_default())
    }
}

fn permits(pace: Concurrency) -> u32 {
    match pace {
        Concurrency::Shared => 1,
        Concurrency::Exclusive => FREE_FAILURES,
    }
}
