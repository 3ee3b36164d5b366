//! Refresh tokens, sessions, clients, devices and personal access tokens.

use crate::{RealmName, Scope, error::ErrorKind};

/// Refresh tokens, sessions, clients, devices and personal access tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A refresh token that is unknown, used or ended.
    #[error("The refresh token is no longer valid. Sign in again.")]
    InvalidGrant,
    /// A refresh requested a wider scope than its session has (RFC 6749 §6: `invalid_scope`).
    #[error("The refresh token does not have that scope.")]
    ScopeWidened,
    #[error("Session not found")]
    NoSuchSession,
    #[error("Token not found")]
    NoSuchToken,
    #[error(
        "No device is waiting with this code. Check the code on its screen. Codes expire after \
     ten minutes."
    )]
    NoSuchDevice,
    /// An OAuth error for a client.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    #[error(transparent)]
    PersonalToken(#[from] PersonalTokenError),
}

impl TokenError {
    /// The class of the error, for a host that maps classes to statuses.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidGrant | Self::ScopeWidened | Self::OAuth(_) => ErrorKind::BadRequest,
            Self::NoSuchSession | Self::NoSuchToken | Self::NoSuchDevice => ErrorKind::NotFound,
            Self::PersonalToken(_) => ErrorKind::Invalid,
        }
    }
}

/// Why a request of a client was rejected. `code` gives the standard error code (RFC 6749 §4.1.2.1
/// and §5.2, RFC 8628 §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    #[error("This client is not registered.")]
    UnknownClient,
    #[error("This scope cannot be given to a client.")]
    InvalidScope,
    #[error("The requested scope exceeds the rights of the caller.")]
    ScopeExceedsCaller,
    #[error("This redirect_uri is not registered for the client.")]
    UnregisteredRedirect,
    #[error("Only the response type code is supported.")]
    UnsupportedResponseType,
    #[error("Only the response mode query is supported.")]
    UnsupportedResponseMode,
    #[error("A code_challenge with code_challenge_method=S256 is required (RFC 7636).")]
    PkceRequired,
    #[error("The code is invalid or has expired.")]
    InvalidCode,
    #[error("The authorization is pending.")]
    AuthorizationPending,
    #[error("Polling is too frequent. Increase the interval by 5 seconds.")]
    SlowDown,
    #[error("Access was denied.")]
    AccessDenied,
    #[error("The code has expired. Start again.")]
    ExpiredToken,
}

impl OAuthError {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownClient => "invalid_client",
            Self::InvalidScope | Self::ScopeExceedsCaller => "invalid_scope",
            Self::UnregisteredRedirect | Self::UnsupportedResponseMode | Self::PkceRequired => {
                "invalid_request"
            }
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidCode => "invalid_grant",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
        }
    }
}

/// Why a token was not created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonalTokenError {
    #[error("A token name must have 1 to 64 characters.")]
    InvalidLabel,
    #[error("Choose at least one scope: files:read, files:write, locks:override, admin.")]
    NoScope,
    #[error("You cannot give a token the scope {0}: it exceeds your own rights.")]
    ScopeNotAllowed(Scope),
    #[error("Choose at least one vault, or omit vaults for all of yours.")]
    NoRealm,
    #[error("You have no vault named {0}.")]
    UnknownRealm(RealmName),
    #[error("The lifetime of a token must be 1 to {0} days.")]
    InvalidLifetime(u64),
    #[error("You already have {max} tokens. Revoke some of them first.")]
    TooMany { max: usize },
}
