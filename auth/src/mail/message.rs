//! The mails that this crate asks its host to send.

use jiff::Timestamp;
use secrecy::SecretString;

use crate::{EmailAddress, Origin, RealmName, Username, audit::AuditAction};

/// Mails in the queue. Further mails are dropped with a warning.
pub(crate) const QUEUE_LIMIT: usize = 1_000;

#[derive(Debug)]
pub struct OutgoingMail {
    pub to: EmailAddress,
    /// Display name or username; empty for an unverified address.
    pub name: String,
    pub body: MailBody,
}

#[derive(Debug)]
pub enum MailBody {
    /// A reset link, valid once until `expires_at`.
    Reset {
        link: SecretString,
        username: Username,
        expires_at: Timestamp,
    },
    /// An invitation by `from`, valid once until `expires_at`.
    Invitation {
        link: SecretString,
        from: String,
        expires_at: Timestamp,
    },
    /// A link that confirms this address, valid once until `expires_at`.
    ConfirmEmail {
        link: SecretString,
        username: Username,
        expires_at: Timestamp,
    },
    /// A personal access token that expires soon.
    TokenExpiring {
        label: String,
        username: Username,
        expires_at: Timestamp,
    },
    /// An event of the host that concerns the owner.
    HostNotice(HostNotice),
    /// A security event of the account.
    SecurityNotice {
        notice: SecurityNotice,
        /// The name of the factor, token or provider.
        about: Option<String>,
        at: Timestamp,
        origin: Origin,
    },
}

/// What another user did to something of the owner's.
#[derive(Debug)]
pub struct HostNotice {
    pub realm: RealmName,
    /// What it was done to. `None` for an unverified address, as is `reason`: such a reader may be
    /// another person.
    pub subject: Option<String>,
    pub by: Username,
    pub reason: Option<String>,
    pub at: Timestamp,
}

/// Security events that an owner is notified of, by mail and on the security page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityNotice {
    PasswordChanged,
    PasswordReset,
    /// A refresh token was used twice; its session was ended.
    TokenReplayed,
    /// A sign-in from an unknown device.
    NewDevice,
    /// A sign-in after many failed attempts.
    SignInAfterFailures,
    /// A sign-in after a long absence.
    SignInAfterLongAbsence,
    /// The right password from an unknown source, without the second factor so far.
    MfaPending,
    FactorAdded,
    FactorRemoved,
    /// A passkey's counter went back: it may be cloned.
    PasskeyCloned,
    RecoveryCodeUsed,
    RecoveryCodesCreated,
    /// An administrator removed all second factors.
    FactorsReset,
    PersonalTokenCreated,
    ProviderLinked,
    ProviderUnlinked,
    EmailChanged,
    /// The account has no address any more. Goes to the old one.
    EmailRemoved,
    /// An administrator disabled the account.
    AccountDisabled,
    /// An administrator deleted the account.
    AccountDeleted,
    /// A new address was requested. It is not active yet.
    EmailChangeRequested,
    /// An administrator created a reset link.
    ResetLinkCreated,
    /// An administrator required a new password.
    PasswordChangeRequired,
}

impl SecurityNotice {
    /// The notice to the old address, after a change from it to `new`.
    pub(crate) fn of_new_address(new: Option<&EmailAddress>) -> Self {
        if new.is_some() {
            Self::EmailChanged
        } else {
            Self::EmailRemoved
        }
    }

    /// The action for the audit; `None` if the store records it with the change itself.
    #[must_use]
    pub fn audit_action(self) -> Option<AuditAction> {
        match self {
            Self::TokenReplayed => Some(AuditAction::RefreshReplayed),
            Self::PasskeyCloned => Some(AuditAction::PasskeyCloned),
            Self::PasswordChanged
            | Self::PasswordReset
            | Self::NewDevice
            | Self::SignInAfterFailures
            | Self::SignInAfterLongAbsence
            | Self::MfaPending
            | Self::FactorAdded
            | Self::FactorRemoved
            | Self::RecoveryCodeUsed
            | Self::RecoveryCodesCreated
            | Self::FactorsReset
            | Self::PersonalTokenCreated
            | Self::ProviderLinked
            | Self::ProviderUnlinked
            | Self::EmailChanged
            | Self::EmailRemoved
            | Self::AccountDisabled
            | Self::AccountDeleted
            | Self::EmailChangeRequested
            | Self::ResetLinkCreated
            | Self::PasswordChangeRequired => None,
        }
    }
}
