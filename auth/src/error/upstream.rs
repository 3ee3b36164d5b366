//! Signing in through an `OpenID` provider, and linked identities.

use crate::error::ErrorKind;

/// Signing in through an `OpenID` provider, and linked identities.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    #[error("Provider not found.")]
    NoSuchProvider,
    /// The provider does not respond. The cause is logged.
    #[error("The provider cannot be reached. Try again, or use another sign-in method.")]
    ProviderUnavailable,
    /// The provider responded, but not with what its protocol requires. The log names the member.
    #[error(
        "The provider was reached, but its answer cannot be used. The server log names the reason. \
         Use another sign-in method, or ask an administrator."
    )]
    ProviderResponseUnusable,
    /// The ID token does not prove an identity. The log names the member.
    #[error(
        "The provider was reached, but its answer cannot be used: its ID token is invalid. The server \
         log names the reason. Use another sign-in method, or ask an administrator."
    )]
    IdTokenInvalid,
    /// The provider returned an error.
    #[error("The sign-in at the provider failed ({0}). Try again, or use another sign-in method.")]
    ProviderRejected(String),
    /// The login state belongs to another browser, or is used or expired (RFC 6749 §10.12).
    #[error("This sign-in was started in another browser, or has expired. Start again.")]
    StateMismatch,
    #[error(
        "No account is connected to that identity. Sign in with your password, then connect it on \
         your account page."
    )]
    IdentityNotLinked,
    #[error("That identity is already connected to another account.")]
    IdentityLinkedElsewhere,
}

impl UpstreamError {
    /// The class of the error, for a host that maps classes to statuses.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSuchProvider => ErrorKind::NotFound,
            Self::ProviderUnavailable | Self::ProviderResponseUnusable => ErrorKind::BadGateway,
            Self::ProviderRejected(_)
            | Self::IdTokenInvalid
            | Self::StateMismatch
            | Self::IdentityNotLinked => ErrorKind::Forbidden,
            Self::IdentityLinkedElsewhere => ErrorKind::Conflict,
        }
    }
}
