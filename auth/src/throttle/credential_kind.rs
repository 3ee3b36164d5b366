//! What can be guessed at, and what that means for the guesser.

use crate::store::RateClass;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialKind {
    Password,
    /// A one-time password (RFC 6238).
    Totp,
    RecoveryCode,
    /// What a person types in to approve a device (RFC 8628 §6.1). The account is the one who types.
    UserCode,
    /// A passkey's signature.
    Passkey,
    Refresh,
    /// A personal access token, as a bearer.
    Personal,
    /// A personal access token, as the password of HTTP Basic.
    Basic,
    DeviceCode,
    /// An authorization code (RFC 6749 §4.1.2).
    AuthorizationCode,
    Reset,
    Invite,
    /// A link that confirms an e-mail address. Sending one counts like a failure: nobody floods a stranger's mailbox.
    EmailLink,
    /// The printed link that makes the first administrator.
    Setup,
    /// Nothing is guessed: accounts made are counted like failures, so that nobody fills the house with them.
    Registration,
}

impl CredentialKind {
    pub const ALL: [Self; 15] = [
        Self::Password,
        Self::Totp,
        Self::RecoveryCode,
        Self::UserCode,
        Self::Passkey,
        Self::Refresh,
        Self::Personal,
        Self::Basic,
        Self::DeviceCode,
        Self::AuthorizationCode,
        Self::Reset,
        Self::Invite,
        Self::EmailLink,
        Self::Setup,
        Self::Registration,
    ];

    /// As it is stored, counted and listed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::UserCode => "user_code",
            Self::Passkey => "passkey",
            Self::Refresh => "refresh",
            Self::Personal => "personal",
            Self::Basic => "basic",
            Self::DeviceCode => "device_code",
            Self::AuthorizationCode => "code",
            Self::Reset => "reset",
            Self::Invite => "invite",
            Self::EmailLink => "email_link",
            Self::Setup => "setup",
            Self::Registration => "registration",
        }
    }

    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == raw)
    }

    /// What a network's failures at it are counted by.
    #[must_use]
    pub fn rate_class(self) -> RateClass {
        match self {
            Self::Registration => RateClass::Accounts,
            kind if kind.is_guessable() => RateClass::Guesses,
            _ => RateClass::Tokens,
        }
    }

    /// Whether persistence could find it: then failures count against its account too. The others hold 256 bits of
    /// chance; counting those by account would help nobody but who wants to lock the owner out.
    #[must_use]
    pub fn is_guessable(self) -> bool {
        matches!(
            self,
            Self::Password | Self::Totp | Self::RecoveryCode | Self::UserCode
        )
    }
}
