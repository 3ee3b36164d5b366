//! The errors of the crate, as facts. Deliberately absent: HTTP statuses, which the host chooses.

use std::time::Duration;

use crate::{Scope, access::policy::Restriction, factor::passkey::PasskeyError};

/// The database failed. The source is logged and never sent to the client.
#[derive(Debug, thiserror::Error)]
#[error("the store is unavailable: {0}")]
pub struct StoreUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl StoreUnavailable {
    pub fn from_source(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
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
    #[error("Enter a reason of 1 to 500 characters. It is recorded in the audit log.")]
    InvalidReason,
    /// A refresh token that is unknown, used or ended.
    #[error("The refresh token is no longer valid. Sign in again.")]
    InvalidGrant,
    /// A refresh requested a wider scope than its session has (RFC 6749 §6: `invalid_scope`).
    #[error("The refresh token does not have that scope.")]
    ScopeWidened,
    #[error("The current password is wrong.")]
    WrongCurrentPassword,
    #[error("You are not allowed to do this ({action}).")]
    NotAllowed { action: &'static str },
    /// The token lacks the scope, regardless of the account's rights (RFC 6750 §3.1:
    /// `insufficient_scope`).
    #[error("This action requires a token with the scope {grant}.")]
    InsufficientScope { grant: Scope },
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
    #[error("A vault with that name already exists.")]
    RealmTaken,
    #[error("Username already registered")]
    UsernameTaken,
    #[error("Registration is closed. Ask an administrator for an account.")]
    RegistrationClosed,
    /// Registration without an invitation, where one is required.
    #[error("Registration requires an invitation. Ask an administrator for one.")]
    InvitationRequired,
    /// Unknown, used, withdrawn or expired, or its creator is no longer authorized. The response
    /// does not distinguish these cases.
    #[error("This invitation is no longer valid. Ask for a new one.")]
    InvitationInvalid,
    /// An e-mail link that is unknown, used, expired or superseded.
    #[error("This link is no longer valid. Change your e-mail address again to get a new one.")]
    EmailLinkInvalid,
    #[error("There is no e-mail address to confirm, or this installation does not send e-mail.")]
    NoUnverifiedEmail,
    #[error("Group not found")]
    NoSuchGroup,
    #[error("A group with that name already exists.")]
    GroupTaken,
    #[error("Invitation not found")]
    NoSuchInvitation,
    #[error("You have too many open invitations. Withdraw some, or wait until they are used.")]
    TooManyInvitations,
    #[error("{0}")]
    PasswordRejected(#[from] crate::password::PasswordRejected),
    #[error("User not found")]
    NoSuchAccount,
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
    OAuth(#[from] crate::oauth::consent::OAuthError),
    #[error(transparent)]
    PersonalToken(#[from] crate::oauth::personal_token::PersonalTokenError),
    #[error("The last administrator cannot be removed. Make another user an administrator first.")]
    LastAdministrator,
    /// A reset link or factor reset for the caller's own account. It would bypass the current
    /// password and factors.
    #[error(
        "This action is for other accounts. Change your own password and second factors on your \
         account page."
    )]
    OwnAccount,
    /// The setup link is used or expired, or there is already an administrator.
    #[error(
        "This link is no longer valid. Restart Strongroom for a new one, or use `strongroom user \
         add`."
    )]
    SetupLinkInvalid,
    #[error("Provider not found.")]
    NoSuchProvider,
    /// The provider does not respond. The cause is logged.
    #[error("The provider cannot be reached. Try again, or use another sign-in method.")]
    ProviderUnavailable,
    /// The provider returned an error or an invalid response.
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
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    #[error("This link is no longer valid. Ask for a new one.")]
    ResetLinkInvalid,
    /// The credentials are correct, but an administrator requires a new password first.
    #[error("This password must be reset. Request a reset link, or ask an administrator.")]
    PasswordChangeRequired,
    #[error("This account is disabled. Enable it first.")]
    AccountDisabled,
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
    #[error("No lockout exists for that account or address.")]
    LockoutNotFound,
    /// All cores are busy hashing passwords.
    #[error("The server is busy with other sign-ins. Try again in a moment.")]
    HasherBusy { retry_after: Duration },
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
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
    /// A bug or a corrupt key. Logged by the host.
    #[error("internal: {0}")]
    Internal(&'static str),
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
        let message = |wait| AuthError::Throttled { retry_after: wait }.to_string();
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
