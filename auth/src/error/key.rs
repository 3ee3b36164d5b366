//! The master key.

use crate::error::ErrorKind;

/// The master key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key ring is sealed under a master key other than the configured one.
    #[error(
        "The key ring was sealed under another master key. Start with that key, or with the new key \
         if it was replaced. If the key is lost, `strongroom key rotate --end-tokens` creates a new \
         key ring. All passwords and authenticator apps are then lost; issue reset links with \
         `strongroom user reset NAME`."
    )]
    MasterKeyMismatch,
    #[error("The new master key is already active.")]
    MasterKeyUnchanged,
}

impl KeyError {
    /// The class of the error, for a host that maps classes to statuses.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::MasterKeyMismatch => ErrorKind::Internal,
            Self::MasterKeyUnchanged => ErrorKind::Conflict,
        }
    }
}
