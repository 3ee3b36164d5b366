//! Authenticating and authorizing a request (RFC 6750, RFC 9470).

use std::time::Duration;

use crate::{Scope, Username, error::ErrorKind};

/// Authenticating and authorizing a request (RFC 6750, RFC 9470).
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// No credentials were sent (RFC 6750 §3.1: the response has no error code).
    #[error("Could not validate credentials")]
    Unauthenticated,
    /// A token or cookie that is malformed, forged, expired or revoked, or of a disabled account.
    /// The response does not distinguish these cases.
    #[error("Could not validate credentials")]
    InvalidToken,
    /// More than one kind of credentials, or a malformed header (RFC 6750 §2: `invalid_request`).
    #[error("Send exactly one kind of credentials.")]
    AmbiguousCredentials,
    /// A write with the session cookie that may come from another site (CSRF).
    #[error("This request came from another site. Reload the page and try again.")]
    CrossSite,
    /// A page that was drawn for another account: tabs share one cookie, and another one of them
    /// has signed in since.
    #[error(
        "This page was made for another user. {current} is signed in to this browser now. Nothing \
         has changed."
    )]
    AccountChanged { current: Username },
    #[error("You are not allowed to do this ({action}).")]
    NotAllowed { action: &'static str },
    /// The token lacks the scope, regardless of the account's rights (RFC 6750 §3.1:
    /// `insufficient_scope`).
    #[error("This action requires a token with the scope {scope}.")]
    InsufficientScope { scope: Scope },
    /// Changes to one's own account require an interactive session.
    #[error("This action requires a browser session. A token is not accepted.")]
    InteractiveSessionRequired,
    /// RFC 9470: `insufficient_user_authentication`.
    #[error("This action requires a sign-in within the last {} minutes.", .max_age.as_secs() / 60)]
    StepUpRequired { max_age: Duration },
    #[error("This installation requires a second factor. Set one up first.")]
    Restricted(Restriction),
    /// The vault does not exist, or the caller may not see it.
    #[error("Vault not found")]
    RealmNotFound,
}

impl AccessError {
    /// The class of the error, for a host that maps classes to statuses.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unauthenticated | Self::InvalidToken | Self::StepUpRequired { .. } => {
                ErrorKind::Unauthenticated
            }
            Self::AmbiguousCredentials => ErrorKind::BadRequest,
            Self::CrossSite
            | Self::NotAllowed { .. }
            | Self::InsufficientScope { .. }
            | Self::InteractiveSessionRequired
            | Self::Restricted(_) => ErrorKind::Forbidden,
            Self::AccountChanged { .. } => ErrorKind::Conflict,
            Self::RealmNotFound => ErrorKind::NotFound,
        }
    }
}

/// A restriction of the session to one operation, until that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// The installation requires a second factor, and the account must enroll one.
    EnrollFactor,
}
