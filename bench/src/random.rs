//! Content that does not compress.

use std::hash::{BuildHasher as _, RandomState};

/// Incompressible bytes, different each time (xorshift64).
pub(crate) fn random_bytes(size: usize) -> Vec<u8> {
    let mut state = RandomState::new().hash_one(size) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
