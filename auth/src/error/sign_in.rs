//! Signing in, and confirming a session again.

use crate::error::ErrorKind;

/// Signing in, and confirming a session again.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown user, wrong password or disabled account. The response does not distinguish these
    /// cases.
    #[error("Incorrect username or password")]
    InvalidCredentials,
    /// The password is correct, and the account has a second factor. Never returned for a wrong
    /// password.
    #[error("Enter the code from your authenticator app, or a recovery code.")]
    SecondFactorRequired,
    /// At sign-in, after a correct password.
    #[error(
        "The code is wrong or was already used. Enter the current code from the app, or a recovery \
         code."
    )]
    SecondFactorInvalid,
    /// A pending sign-in that has expired, or whose account's security epoch has changed.
    #[error("This sign-in has expired. Start again.")]
    SignInExpired,
    /// In a step-up of a signed-in user.
    #[error("The code is wrong or was already used.")]
    InvalidCode,
    #[error("The current password is wrong.")]
    WrongCurrentPassword,
    /// The credentials are correct, but an administrator requires a new password first.
    #[error("This password must be reset. Request a reset link, or ask an administrator.")]
    PasswordChangeRequired,
}

impl SignInError {
    /// The class of the error, for a host that maps classes to statuses.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidCredentials
            | Self::SecondFactorRequired
            | Self::SecondFactorInvalid
            | Self::SignInExpired => ErrorKind::Unauthenticated,
            Self::InvalidCode | Self::WrongCurrentPassword | Self::PasswordChangeRequired => {
                ErrorKind::Forbidden
            }
        }
    }
}
