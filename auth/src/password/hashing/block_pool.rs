//! The memory that Argon2 fills. It is kept from one hash to the next, because the kernel would clear and map 64 MiB anew
//! each time, and given back when nobody signs in for a while.
//!
//! Nothing is wiped between two hashes. A hash reads no word that it has not written; after its second pass (our floor)
//! nothing is left of the blocks that were made of the password, and what is left leads to no more than the hash, which
//! the database has. Who can read it reads this process's memory, where the pepper and passwords under way are too. Given
//! back, it goes to the kernel, which clears it for whoever has it next.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use argon2::Block;

/// How long it is kept for the next hash.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct BlockPool {
    /// Of our own hashes. Others may ask for more or less: theirs is not kept.
    blocks: usize,
    state: Arc<Mutex<PoolState>>,
}

/// As many as were ever in use at once: no more than there are cores.
#[derive(Default)]
struct PoolState {
    free: Vec<Vec<Block>>,
    /// How often something was given back.
    generation: u64,
}

impl BlockPool {
    pub(crate) fn with_block_count(blocks: usize) -> Self {
        Self {
            blocks,
            state: Arc::default(),
        }
    }

    /// At least so many, with anything in them.
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

    /// What [`let_go`](Self::let_go) asks for later.
    pub(crate) fn generation(&self) -> u64 {
        self.state().generation
    }

    /// Gives all of it up, unless it was used since.
    pub(crate) fn free_if_idle(&self, generation: u64) {
        let mut state = self.state();
        if state.generation == generation {
            // Not only emptied: nothing of it stays.
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
