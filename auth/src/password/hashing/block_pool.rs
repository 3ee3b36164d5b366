//! Block memory for Argon2, reused across hashes: otherwise the kernel maps and clears 64 MiB for
//! each. It is freed after 10 s without a hash.
//!
//! The memory is not zeroed between hashes. A hash reads no word that it has not written. After its
//! second pass (the minimum), no block derived directly from the password remains. The rest reveals
//! no more than the hash, which is in the database. An attacker who can read it can also read the
//! pepper and current passwords in this process. Freed memory goes to the kernel, which clears it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use argon2::Block;

/// Unused memory is freed after this time.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct BlockPool {
    /// Block count of new hashes. Larger allocations, for imported parameters, are not retained.
    blocks: usize,
    state: Arc<Mutex<PoolState>>,
}

/// The free list is bounded by the highest concurrency so far, which is at most the number of
/// cores.
#[derive(Default)]
struct PoolState {
    free: Vec<Vec<Block>>,
    /// Number of releases so far.
    generation: u64,
}

impl BlockPool {
    pub(crate) fn with_block_count(blocks: usize) -> Self {
        Self {
            blocks,
            state: Arc::default(),
        }
    }

    /// Returns at least `blocks` blocks, with undefined content.
    pub(crate) fn acquire(&self, blocks: usize) -> Result<Vec<Block>, argon2::Error> {
        let retained = (blocks <= self.blocks)
            .then(|| self.state().free.pop())
            .flatten();
        retained.map_or_else(
            || {
                allocate(if blocks <= self.blocks {
                    self.blocks
                } else {
                    blocks
                })
            },
            Ok,
        )
    }

    pub(crate) fn release(&self, blocks: Vec<Block>) {
        let mut state = self.state();
        state.generation += 1;
        if blocks.len() == self.blocks {
            state.free.push(blocks);
        }
    }

    /// A token for [`free_if_idle`](Self::free_if_idle).
    pub(crate) fn generation(&self) -> u64 {
        self.state().generation
    }

    /// Frees all memory, unless it was used since `generation`.
    pub(crate) fn free_if_idle(&self, generation: u64) {
        let mut state = self.state();
        if state.generation == generation {
            // Replaced rather than cleared, so that the list's own allocation is freed too.
            state.free = Vec::new();
        }
    }

    #[cfg(test)]
    pub(crate) fn retained(&self) -> usize {
        self.state().free.len()
    }

    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn allocate(blocks: usize) -> Result<Vec<Block>, argon2::Error> {
    let mut new = Vec::new();
    new.try_reserve_exact(blocks)
        .map_err(|_| argon2::Error::OutOfMemory)?;
    new.resize(blocks, Block::new());
    Ok(new)
}
