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

use super::rules::{FREE, Pace};
use crate::AuthError;

/// Buckets share them by a keyed hash, so nobody can choose whom to stand beside.
const LANES: usize = 1_024;
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    spread: RandomState,
}

struct Lane {
    turns: Arc<Semaphore>,
    /// Failures that were charged here.
    charged: AtomicU64,
}

/// The right to try, until dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    pace: Pace,
    _held: OwnedSemaphorePermit,
}

impl Turn {
    pub(crate) fn is_enough_for(&self, pace: Pace) -> bool {
        self.pace >= pace
    }
}

impl Lanes {
    pub(crate) fn new() -> Self {
        let lane = || Lane {
            turns: Arc::new(Semaphore::new(FREE as usize)),
            charged: AtomicU64::new(0),
        };
        Self {
            lanes: std::iter::repeat_with(lane).take(LANES).collect(),
            spread: RandomState::new(),
        }
    }

    /// Without waiting, if there is room.
    pub(crate) fn step_in(&self, key: &impl Hash, pace: Pace) -> Option<Turn> {
        let held = Arc::clone(&self.lane(key)?.turns)
            .try_acquire_many_owned(width(pace))
            .ok()?;
        Some(Turn { pace, _held: held })
    }

    /// # Errors
    /// [`AuthError::Busy`] when it takes too long.
    pub(crate) async fn queue(&self, key: &impl Hash, pace: Pace) -> Result<Turn, AuthError> {
        let lane = self
            .lane(key)
            .ok_or(AuthError::Internal("there are no lanes"))?;
        let turn = Arc::clone(&lane.turns).acquire_many_owned(width(pace));
        match tokio::time::timeout(PATIENCE, turn).await {
            Ok(Ok(held)) => Ok(Turn { pace, _held: held }),
            _ => Err(AuthError::Busy {
                retry_after: PATIENCE,
            }),
        }
    }

    /// Grows with every charge: who read a count before it changed has to read again.
    pub(crate) fn charged(&self, key: &impl Hash) -> u64 {
        self.lane(key)
            .map_or(0, |lane| lane.charged.load(Ordering::Acquire))
    }

    pub(crate) fn note_charge(&self, key: &impl Hash) {
        if let Some(lane) = self.lane(key) {
            lane.charged.fetch_add(1, Ordering::Release);
        }
    }

    fn lane(&self, key: &impl Hash) -> Option<&Lane> {
        let n = self.spread.hash_one(key) % LANES as u64;
        self.lanes.get(usize::try_from(n).unwrap_or_default())
    }
}

fn width(pace: Pace) -> u32 {
    match pace {
        Pace::Free => 1,
        Pace::Alone => FREE,
    }
}
