//! Registration, invitations, one-time links, accounts, groups and realms.

use crate::error::ErrorKind;

/// Registration, invitations, one-time links, accounts, groups and realms.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("Enter a reason of 1 to 500 characters. It is recorded in the audit log.")]
    InvalidReason,
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
    PasswordRejected(#[from] PasswordRejected),
    #[error("User not found")]
    NoSuchAccount,
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
    #[error("This link is no longer valid. Ask for a new one.")]
    ResetLinkInvalid,
    #[error("This account is disabled. Enable it first.")]
    AccountDisabled,
    #[error("No lockout exists for that account or address.")]
    LockoutNotFound,
}

impl AccountError {
    /// The class of the error, for a host that maps classes to statuses.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidReason | Self::PasswordRejected(_) => ErrorKind::Invalid,
            Self::RealmTaken
            | Self::UsernameTaken
            | Self::NoUnverifiedEmail
            | Self::GroupTaken
            | Self::TooManyInvitations
            | Self::LastAdministrator
            | Self::OwnAccount
            | Self::AccountDisabled => ErrorKind::Conflict,
            Self::RegistrationClosed
            | Self::InvitationRequired
            | Self::InvitationInvalid
            | Self::EmailLinkInvalid
            | Self::SetupLinkInvalid
            | Self::ResetLinkInvalid => ErrorKind::Forbidden,
            Self::NoSuchGroup
            | Self::NoSuchInvitation
            | Self::NoSuchAccount
            | Self::LockoutNotFound => ErrorKind::NotFound,
        }
    }
}

/// The reason for rejecting a new password. The message states what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRejected {
    #[error(
        "A password must have at least {min_length} characters. A few unrelated words are strong."
    )]
    TooShort { min_length: usize },
    #[error("A password can have at most 1,024 bytes.")]
    TooLong,
    #[error(
        "A password must not consist of your username, name or e-mail address, the word \
         Strongroom, or names known to all users."
    )]
    Contextual,
    #[error("This password is too common. Use a few unrelated words.")]
    Common,
    #[error("This password is easy to guess. Use a few unrelated words.")]
    Guessable,
    #[error("This password appears in a list of stolen passwords. Choose another one.")]
    Breached,
}
