//! Refusals of attempts and requests that come too often.

use std::time::Duration;

use crate::{error::ErrorKind, error::humanize};

/// Refusals of attempts and requests that come too often.
#[derive(Debug, thiserror::Error)]
pub enum ThrottleError {
    #[error("Too many attempts. Try again in {}.", humanize(*.retry_after))]
    Throttled { retry_after: Duration },
    #[error("Too many requests in this session. Try again in {}.", humanize(*.retry_after))]
    RateLimited { retry_after: Duration },
    /// Too many consecutive failures from unknown sources. Waiting does not lift it.
    #[error(
        "Too many failed attempts. Sign in from a known device or network, use a passkey, or reset \
        your password."
    )]
    LockedOut,
    /// All cores are busy hashing passwords.
    #[error("The server is busy with other sign-ins. Try again in a moment.")]
    HasherBusy { retry_after: Duration },
}

impl ThrottleError {
    /// The class of the error, for a host that maps classes to statuses.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Throttled { .. } | Self::RateLimited { .. } | Self::LockedOut => {
                ErrorKind::RateLimited
            }
            Self::HasherBusy { .. } => ErrorKind::Unavailable,
        }
    }
}
