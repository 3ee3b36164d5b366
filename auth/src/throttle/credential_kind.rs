//! The kinds of credentials, and how failures of each are counted.

use crate::store::RateClass;

/// The credential of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialKind {
    Password,
    /// A one-time password (RFC 6238).
    Totp,
    RecoveryCode,
    /// The code that a user types to approve a device (RFC 8628 §6.1). Failures count for the user
    /// who types.
    UserCode,
    /// A passkey's signature.
    Passkey,
    Refresh,
    /// A personal access token in `Authorization: Bearer`.
    Personal,
    /// A personal access token as the password of `Authorization: Basic`.
    Basic,
    DeviceCode,
    /// An authorization code (RFC 6749 §4.1.2).
    AuthorizationCode,
    Reset,
    Invite,
    /// A link that confirms an e-mail address. Each sent link counts as a failure, so that no
    /// mailbox is flooded.
    EmailLink,
    /// The printed link that creates the first administrator.
    Setup,
    /// No credential: each new account counts as a failure, so that one network cannot create
    /// accounts without limit.
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

    /// The word in the store, the metrics and the audit.
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

    /// The class of network failures.
    #[must_use]
    pub fn rate_class(self) -> RateClass {
        match self {
            Self::Registration => RateClass::Accounts,
            kind if kind.is_guessable() => RateClass::Guesses,
            _ => RateClass::Tokens,
        }
    }

    /// Whether guessing could succeed; then failures also count for the account. The other kinds
    /// have 256 random bits, and counting them by account would only let an attacker lock out the
    /// owner.
    #[must_use]
    pub fn is_guessable(self) -> bool {
        matches!(
            self,
            Self::Password | Self::Totp | Self::RecoveryCode | Self::UserCode
        )
    }
}
