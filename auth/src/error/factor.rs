//! Enrolling, using and removing second factors and passkeys.

use crate::{error::ErrorKind, factor::passkey::PasskeyError};

/// Enrolling, using and removing second factors and passkeys.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// At enrollment of an authenticator app.
    #[error(
        "The code does not match. Enter the current code from the app, and check the clock of your \
         device."
    )]
    EnrollmentCodeInvalid,
    #[error("No enrollment is pending. Start again.")]
    EnrollmentExpired,
    #[error("This second factor is already set up.")]
    FactorTaken,
    #[error("Second factor not found.")]
    NoSuchFactor,
    #[error(
        "This installation requires a second factor. Set up another one before you remove the last \
         one."
    )]
    LastFactor,
    #[error("A name must have 1 to 64 characters.")]
    InvalidFactorName,
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
}

impl FactorError {
    /// The class of the error, for a host that maps classes to statuses.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::EnrollmentCodeInvalid | Self::InvalidFactorName => ErrorKind::Invalid,
            Self::EnrollmentExpired | Self::FactorTaken | Self::LastFactor => ErrorKind::Conflict,
            Self::NoSuchFactor => ErrorKind::NotFound,
            Self::Passkey(error) => error.kind(),
        }
    }
}
