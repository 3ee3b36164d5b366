//! The memory of all transfers together. Buffers are large while few transfers run, and small when
//! many clients stop reading or sending.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Large enough that the thread switch is cheap compared with reading or hashing.
pub(super) const LARGE_BUFFER_BYTES: usize = 512 * 1024;
/// The buffer of a transfer when all large ones are in use. The number of connections bounds these.
pub(super) const SMALL_BUFFER_BYTES: usize = 64 * 1024;
/// Large buffers in use at once: 32 MiB.
const MAX_LARGE_BUFFERS: usize = 64;

/// The large buffers that are free. Cheap to clone; clones share them.
#[derive(Clone, Debug)]
pub(super) struct BufferBudget(Arc<Semaphore>);

impl Default for BufferBudget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_LARGE_BUFFERS)))
    }
}

impl BufferBudget {
    /// An empty buffer: a large one if it is free, else a small one. Never waits. Memory is
    /// allocated when bytes come in.
    pub(super) fn buffer(&self) -> Buffer {
        let permit = self.0.clone().try_acquire_owned().ok();
        let capacity = if permit.is_some() {
            LARGE_BUFFER_BYTES
        } else {
            SMALL_BUFFER_BYTES
        };
        Buffer {
            bytes: Vec::new(),
            capacity,
            _permit: permit,
        }
    }
}

/// A buffer. Dropping it gives its part of the budget back.
#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    capacity: usize,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Buffer {
    /// Bytes that it holds when full.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes that still fit.
    pub(super) fn free_bytes(&self) -> usize {
        self.capacity.saturating_sub(self.bytes.len())
    }

    /// Its bytes, without a copy. The budget is given back when the last clone is dropped.
    pub(super) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_small_while_large_ones_are_used() {
        let budget = BufferBudget::default();
        let mut large: Vec<Buffer> = (0..MAX_LARGE_BUFFERS).map(|_| budget.buffer()).collect();
        assert!(
            large
                .iter()
                .all(|buffer| buffer.capacity() == LARGE_BUFFER_BYTES)
        );
        assert_eq!(budget.clone().buffer().capacity(), SMALL_BUFFER_BYTES);
        let sent = large.pop().map(Buffer::into_bytes);
        assert_eq!(budget.buffer().capacity(), SMALL_BUFFER_BYTES);
        drop(sent);
        assert_eq!(budget.buffer().capacity(), LARGE_BUFFER_BYTES);
    }
}
