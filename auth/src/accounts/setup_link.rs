//! The setup link of the first administrator, in memory.

use jiff::Timestamp;

use crate::TokenHash;

/// The latest setup link.
pub(crate) struct SetupLink {
    pub(super) token: TokenHash,
    pub(super) expires_at: Timestamp,
}
