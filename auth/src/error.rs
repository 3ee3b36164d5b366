//! What can go wrong, as facts. No statuses: the host decides how a fact is answered.

use std::time::Duration;

use crate::{Scope, access::policy::Restriction, factor::passkey::PasskeyError};

/// The database did not answer. What it said goes to the log, never to the caller.
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
    /// No credentials were sent (RFC 6750 §3.1: the answer carries no error code).
    #[error("Could not validate credentials")]
    Unauthenticated,
    /// A token or cookie that is malformed, forged, expired, revoked, or of a disabled account: not said which.
    #[error("Could not validate credentials")]
    InvalidToken,
    /// More than one way to prove who is calling, or a header that makes no sense (RFC 6750 §2: `invalid_request`).
    #[error("Send exactly one kind of credentials.")]
    AmbiguousCredentials,
    /// A write with the session cookie that another site may have caused.
    #[error("This request came from another site. Reload the page and try again.")]
    CrossSite,
    /// Unknown user, wrong password, disabled account: not said which.
    #[error("Incorrect username or password")]
    InvalidCredentials,
    /// The password was right, and the account has a second factor. Said to nobody whose password was wrong.
    #[error("Enter the code from your authenticator app, or a recovery code.")]
    SecondFactorRequired,
    /// At sign-in, after a right password.
    #[error(
        "The code is wrong or was already used. Enter the current code from the app, or a recovery \
         code."
    )]
    SecondFactorInvalid,
    /// A sign-in that waited too long for its second factor, or whose password was changed meanwhile.
    #[error("This sign-in has expired. Start again.")]
    SignInExpired,
    /// Of somebody who is signed in, and asked again.
    #[error("The code is wrong or was already used.")]
    InvalidCode,
    /// The first code of an app that is being set up.
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
    /// A refresh asked for more than its sign-in was given (RFC 6749 §6: `invalid_scope`).
    #[error("The refresh token does not have that scope.")]
    ScopeWidened,
    #[error("The current password is wrong.")]
    WrongCurrentPassword,
    #[error("You are not allowed to do this ({action}).")]
    NotAllowed { action: &'static str },
    /// The token may not do this, whoever gave it (RFC 6750 §3.1: `insufficient_scope`).
    #[error("This action requires a token with the scope {grant}.")]
    InsufficientScope { grant: Scope },
    /// One's own account is not a program's to change.
    #[error("This action requires a browser session. A token is not accepted.")]
    InteractiveSessionRequired,
    /// RFC 9470: `insufficient_user_authentication`.
    #[error("This action requires a sign-in within the last {} minutes.", .max_age.as_secs() / 60)]
    StepUpRequired { max_age: Duration },
    #[error("This installation requires a second factor. Set one up first.")]
    Restricted(Restriction),
    /// There is none of that name, or the caller may not know of it.
    #[error("Vault not found")]
    RealmNotFound,
    #[error("A vault with that name already exists.")]
    RealmTaken,
    #[error("Username already registered")]
    UsernameTaken,
    #[error("Registration is closed. Ask an administrator for an account.")]
    RegistrationClosed,
    /// Registering without an invitation where one is needed.
    #[error("Registration requires an invitation. Ask an administrator for one.")]
    InvitationRequired,
    /// Unknown, used, withdrawn, expired, or of somebody who may not invite any more: not said which.
    #[error("This invitation is no longer valid. Ask for a new one.")]
    InvitationInvalid,
    /// A link to confirm an address that is unknown, used or expired, or was overtaken.
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
    /// A program was not let in.
    #[error(transparent)]
    OAuth(#[from] crate::oauth::consent::OAuthError),
    #[error(transparent)]
    PersonalToken(#[from] crate::oauth::personal_token::PersonalTokenError),
    #[error("The last administrator cannot be removed. Make another user an administrator first.")]
    LastAdministrator,
    /// A way into an account, made by whoever is signed in to it: that would go round what only its owner knows.
    #[error(
        "This action is for other accounts. Change your own password and second factors on your \
         account page."
    )]
    OwnAccount,
    /// The first administrator's link is used, expired, or there is an administrator already.
    #[error(
        "This link is no longer valid. Restart Strongroom for a new one, or use `strongroom user \
         add`."
    )]
    SetupLinkInvalid,
    #[error("Provider not found.")]
    NoSuchProvider,
    /// The provider does not answer; why is in the log.
    #[error("The provider cannot be reached. Try again, or use another sign-in method.")]
    ProviderUnavailable,
    /// The provider, or what it sent.
    #[error("The sign-in at the provider failed ({0}). Try again, or use another sign-in method.")]
    ProviderRejected(String),
    /// A sign-in that was begun in another browser, used before, or too long ago.
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
    /// Whoever it is has shown who they are, and nobody comes in before there is a new password.
    #[error("This password must be reset. Request a reset link, or ask an administrator.")]
    PasswordChangeRequired,
    #[error("This account is disabled. Enable it first.")]
    AccountDisabled,
    #[error("Too many attempts. Try again in {}.", humanize(*.retry_after))]
    Throttled { retry_after: Duration },
    #[error("Too many requests in this session. Try again in {}.", humanize(*.retry_after))]
    RateLimited { retry_after: Duration },
    /// Too many failures in a row, from wherever the account has not signed in before: waiting does not help.
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
    /// The key ring does not open: another master key is at work than the one it was sealed under.
    #[error(
        "The key ring was sealed under another master key. Start with that key, or with the new key \
         if it was replaced. If the key is lost, `strongroom key rotate --end-tokens` creates a new \
         key ring. All passwords and authenticator apps are then lost; issue reset links with \
         `strongroom user reset NAME`."
    )]
    MasterKeyMismatch,
    #[error("The new master key is already active.")]
    MasterKeyUnchanged,
    /// A bug or a broken key; logged where it is answered.
    #[error("internal: {0}")]
    Internal(&'static str),
}

/// `1 second`, `45 seconds`, `12 minutes`: never less than what is left.
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
        let told = |wait| AuthError::Throttled { retry_after: wait }.to_string();
        assert_eq!(
            told(Duration::ZERO),
            "Too many attempts. Try again in 1 second."
        );
        assert_eq!(
            told(Duration::from_millis(1100)),
            "Too many attempts. Try again in 2 seconds."
        );
        assert_eq!(
            told(Duration::from_secs(119)),
            "Too many attempts. Try again in 119 seconds."
        );
        assert_eq!(
            told(Duration::from_secs(841)),
            "Too many attempts. Try again in 15 minutes."
        );
    }
}
