//! Errors of passkey operations.

use crate::error::ErrorKind;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// The cause is not revealed: unknown, disabled account, cloned, or signed for another origin.
    #[error("This passkey was not accepted.")]
    Rejected,
    /// The same, during step-up: the session stays valid.
    #[error("This passkey was not accepted.")]
    NotConfirmed,
    /// The response is no valid `WebAuthn` JSON, or the passkey cannot be registered.
    #[error("This passkey cannot be used here.")]
    Malformed,
    /// Used, unknown, expired, or started by another session.
    #[error("This passkey request has expired or was already used. Try again.")]
    CeremonyExpired,
    #[error("This passkey is already registered.")]
    AlreadyRegistered,
    #[error("Passkey not found")]
    NotRegistered,
    #[error("You already have {max} passkeys. Remove one first.")]
    TooMany { max: usize },
    /// See [`PasskeyRules`](super::PasskeyRules).
    #[error("Passkeys require an https address with a host name. This installation has none.")]
    Unavailable,
}

impl PasskeyError {
    /// The class of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Rejected => ErrorKind::Unauthenticated,
            Self::NotConfirmed => ErrorKind::Forbidden,
            Self::Malformed => ErrorKind::Invalid,
            Self::CeremonyExpired => ErrorKind::Gone,
            Self::NotRegistered | Self::Unavailable => ErrorKind::NotFound,
            Self::AlreadyRegistered | Self::TooMany { .. } => ErrorKind::Conflict,
        }
    }
}
