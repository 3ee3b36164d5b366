//! The errors of the crate, as facts. Deliberately absent: HTTP statuses, which the host chooses.
//!
//! One enum for each flow, joined by [`AuthError`]. A host that needs no detail maps [`AuthError::kind`].

mod access;
mod account;
mod factor;
mod key;
mod sign_in;
mod throttle;
mod token;
mod upstream;

use std::time::Duration;

pub use self::{
    access::{AccessError, Restriction},
    account::{AccountError, PasswordRejected},
    factor::FactorError,
    key::KeyError,
    sign_in::SignInError,
    throttle::ThrottleError,
    token::{OAuthError, PersonalTokenError, TokenError},
    upstream::UpstreamError,
};

/// The database failed. The source is logged and never sent to the client.
#[derive(Debug, thiserror::Error)]
#[error("the store is unavailable: {0}")]
pub struct StoreUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl StoreUnavailable {
    pub fn from_source(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }

    /// The disk of the database is full. The operator can mend that, so the caller is told.
    #[must_use]
    pub fn disk_full() -> Self {
        Self::from_source(DiskFull)
    }

    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        self.0.is::<DiskFull>()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the disk is full")]
struct DiskFull;

/// Any failure of this crate.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error(transparent)]
    Throttle(#[from] ThrottleError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Factor(#[from] FactorError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
    /// A bug or a corrupt key. Logged by the host.
    #[error("internal: {0}")]
    Internal(&'static str),
}

/// Classes of errors. A host maps each to one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request or its credentials are malformed, or an OAuth grant is invalid.
    BadRequest,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    /// The ceremony has expired.
    Gone,
    /// A value is well formed but not acceptable.
    Invalid,
    RateLimited,
    /// The database or the hashing pool cannot answer now.
    Unavailable,
    /// The disk of the database is full.
    StorageFull,
    /// A provider cannot be reached, or its answer cannot be used.
    BadGateway,
    /// A bug, or a key that does not fit the database.
    Internal,
}

impl AuthError {
    /// The class of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Access(error) => error.kind(),
            Self::SignIn(error) => error.kind(),
            Self::Throttle(error) => error.kind(),
            Self::Token(error) => error.kind(),
            Self::Factor(error) => error.kind(),
            Self::Account(error) => error.kind(),
            Self::Upstream(error) => error.kind(),
            Self::Key(error) => error.kind(),
            Self::Store(error) if error.is_disk_full() => ErrorKind::StorageFull,
            Self::Store(_) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }
}

impl From<OAuthError> for AuthError {
    fn from(error: OAuthError) -> Self {
        Self::Token(error.into())
    }
}

impl From<PersonalTokenError> for AuthError {
    fn from(error: PersonalTokenError) -> Self {
        Self::Token(error.into())
    }
}

impl From<crate::factor::passkey::PasskeyError> for AuthError {
    fn from(error: crate::factor::passkey::PasskeyError) -> Self {
        Self::Factor(error.into())
    }
}

impl From<PasswordRejected> for AuthError {
    fn from(error: PasswordRejected) -> Self {
        Self::Account(error.into())
    }
}

/// Formats as `1 second`, `45 seconds` or `12 minutes`, rounded up.
fn humanize(wait: Duration) -> String {
    let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
    let (count, unit) = if seconds < 120 {
        (seconds, "second")
    } else {
        (seconds.div_ceil(60), "minute")
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttled_error_states_wait_in_seconds_or_minutes() {
        let message = |wait| ThrottleError::Throttled { retry_after: wait }.to_string();
        assert_eq!(
            message(Duration::ZERO),
            "Too many attempts. Try again in 1 second."
        );
        assert_eq!(
            message(Duration::from_millis(1100)),
            "Too many attempts. Try again in 2 seconds."
        );
        assert_eq!(
            message(Duration::from_secs(119)),
            "Too many attempts. Try again in 119 seconds."
        );
        assert_eq!(
            message(Duration::from_secs(841)),
            "Too many attempts. Try again in 15 minutes."
        );
    }
}
