//! What can go wrong, as facts. No statuses: the host decides how a fact is answered.

use std::time::Duration;

use crate::{Grant, factor::passkey::PasskeyError, policy::Restriction};

/// The database did not answer. What it said goes to the log, never to the caller.
#[derive(Debug, thiserror::Error)]
#[error("the store is unavailable: {0}")]
pub struct Unavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl Unavailable {
    pub fn because(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No credentials were sent (RFC 6750 §3.1: the answer carries no error code).
    #[error("Could not validate credentials")]
    NotSignedIn,
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
    BadCredentials,
    /// The password was right, and the account has a second factor. Said to nobody whose password was wrong.
    #[error("Enter the code from your authenticator app, or a recovery code.")]
    SecondFactorNeeded,
    /// At sign-in, after a right password.
    #[error(
        "That code is not right, or was used before. Enter the one that the app shows now, or a recovery code."
    )]
    SecondFactorWrong,
    /// A sign-in that waited too long for its second factor, or whose password was changed meanwhile.
    #[error("This sign-in took too long. Begin again.")]
    SignInOver,
    /// Of somebody who is signed in, and asked again.
    #[error("That code is not right, or was used before.")]
    WrongCode,
    /// The first code of an app that is being set up.
    #[error(
        "That code does not fit. Enter the one that the app shows now, and check that its clock is right."
    )]
    CodeDoesNotFit,
    #[error("There is nothing to confirm: begin again.")]
    EnrolmentOver,
    #[error("This second factor is set up already.")]
    FactorTaken,
    #[error("There is no such second factor.")]
    NoSuchFactor,
    #[error(
        "This installation asks for a second factor: set up another one before you remove the last."
    )]
    LastFactor,
    #[error("A name has 1 to 64 characters.")]
    BadFactorName,
    #[error("Say why, in 1 to 500 characters: it is kept in the audit.")]
    BadReason,
    /// A refresh token that is unknown, used or ended.
    #[error("The refresh token is not valid any more. Sign in again.")]
    InvalidGrant,
    /// A refresh asked for more than its sign-in was given (RFC 6749 §6: `invalid_scope`).
    #[error("The refresh token does not carry that scope.")]
    ScopeWidened,
    #[error("The current password is not right.")]
    WrongCurrentPassword,
    #[error("You are not allowed to do this ({action}).")]
    NotAllowed { action: &'static str },
    /// The token may not do this, whoever gave it (RFC 6750 §3.1: `insufficient_scope`).
    #[error("This token does not allow that: it needs the scope {grant}.")]
    ScopeMissing { grant: Grant },
    /// One's own account is not a program's to change.
    #[error("This has to be done by the person signed in, not with a token.")]
    NotInPerson,
    /// RFC 9470: `insufficient_user_authentication`.
    #[error("Confirm that it is you: this wants a sign-in of the last {} minutes.", .max_age.as_secs() / 60)]
    StepUpNeeded { max_age: Duration },
    #[error("Set up a second factor first: this installation asks for one.")]
    Restricted(Restriction),
    /// There is none of that name, or the caller may not know of it.
    #[error("Vault not found")]
    RealmNotFound,
    #[error("A vault of that name is already there.")]
    RealmTaken,
    #[error("Username already registered")]
    UsernameTaken,
    #[error("Registration is closed. Ask an administrator for an account.")]
    RegistrationClosed,
    /// Registering without an invitation where one is needed.
    #[error("Registration is by invitation. Ask an administrator for one.")]
    InviteNeeded,
    /// Unknown, used, withdrawn, expired, or of somebody who may not invite any more: not said which.
    #[error("This invitation is not good any more. Ask for a new one.")]
    InviteOver,
    /// A link to confirm an address that is unknown, used or expired, or was overtaken.
    #[error("This link is not good any more. Change your e-mail address again for a new one.")]
    EmailLinkOver,
    #[error("There is no e-mail address to confirm, or no letters are sent from here.")]
    NothingToConfirm,
    #[error("Group not found")]
    NoSuchGroup,
    #[error("A group of that name is already there.")]
    GroupTaken,
    #[error("Invitation not found")]
    NoSuchInvite,
    #[error("You have too many open invitations. Withdraw some, or wait until they are used.")]
    TooManyInvites,
    #[error("{0}")]
    PasswordRefused(#[from] crate::password::Refused),
    #[error("User not found")]
    NoSuchAccount,
    #[error("Session not found")]
    NoSuchSession,
    #[error("Token not found")]
    NoSuchToken,
    #[error("No device waits with this code. Look at its screen again: codes live ten minutes.")]
    NoSuchDevice,
    /// A program was not let in.
    #[error(transparent)]
    Delegation(#[from] crate::delegating::DelegationRefused),
    #[error(transparent)]
    PersonalRefused(#[from] crate::personal::PersonalRefused),
    #[error("The last administrator stays one: make somebody else an administrator first.")]
    LastAdministrator,
    /// A way into an account, made by whoever is signed in to it: that would go round what only its owner knows.
    #[error(
        "This is for the accounts of others. Change your own password and second factors on your account page."
    )]
    OwnAccount,
    /// The first administrator's link is used, expired, or there is an administrator already.
    #[error(
        "This link is not valid any more. Restart Strongroom for a new one, or use `strongroom user add`."
    )]
    SetupOver,
    #[error("There is no such provider.")]
    NoSuchProvider,
    /// The provider does not answer; why is in the log.
    #[error("The provider cannot be reached. Try again, or sign in another way.")]
    ProviderAway,
    /// The provider, or what it sent.
    #[error("Signing in there did not work ({0}). Try again, or sign in another way.")]
    ProviderRefused(String),
    /// A sign-in that was begun in another browser, used before, or too long ago.
    #[error("This sign-in was not begun in this browser, or too long ago. Begin again.")]
    WrongBrowser,
    #[error(
        "No account here is joined to that one. Sign in with your password first, then join them on your account page."
    )]
    NotLinked,
    #[error("That account is joined to somebody else's here.")]
    AlreadyLinked,
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    #[error("This link is not valid any more. Ask for a new one.")]
    ResetOver,
    /// Whoever it is has shown who they are, and nobody comes in before there is a new password.
    #[error(
        "This password has to be replaced. Ask for a link that sets a new one, or ask an administrator."
    )]
    ResetRequired,
    #[error("This account is disabled: enable it first.")]
    AccountDisabled,
    #[error("Too many attempts. Try again in {}.", in_words(*.retry_after))]
    Throttled { retry_after: Duration },
    #[error("Too many requests of one session. Try again in {}.", in_words(*.retry_after))]
    TooFast { retry_after: Duration },
    /// Too many failures in a row, from wherever the account has not signed in before: waiting does not help.
    #[error(
        "Too many attempts: this way in stays shut. Use a device or a network that you have signed in from before, a \
        passkey, or a link for a new password; or ask an administrator."
    )]
    LockedOut,
    #[error("Nothing is kept there that could be lifted.")]
    NoLockout,
    /// All cores are busy hashing passwords.
    #[error("The server is busy signing people in. Try again in a moment.")]
    Busy { retry_after: Duration },
    #[error(transparent)]
    Store(#[from] Unavailable),
    /// The key ring does not open: another master key is at work than the one it was sealed under.
    #[error(
        "The key ring was sealed under another master key than this one. Start with that one (the new one, if it was \
         replaced). Where it is lost for good, `strongroom key rotate --end-tokens` makes a new ring; every password and \
         every authenticator app is lost with it, so hand out links with `strongroom user reset NAME` then."
    )]
    AnotherMasterKey,
    #[error("The new master key is the one in force already.")]
    SameMasterKey,
    /// A bug or a broken key; logged where it is answered.
    #[error("internal: {0}")]
    Internal(&'static str),
}

/// `1 second`, `45 seconds`, `12 minutes`: never less than what is left.
fn in_words(wait: Duration) -> String {
    let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
    let (many, unit) = if seconds < 120 {
        (seconds, "second")
    } else {
        (seconds.div_ceil(60), "minute")
    };
    format!("{many} {unit}{}", if many == 1 { "" } else { "s" })
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
