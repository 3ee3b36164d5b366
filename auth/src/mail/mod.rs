//! What people are told by mail. This crate only says what there is to say: the host sends it, or doesn't.

pub mod token_expiry;
mod unverified_limit;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::{
    Account, Actor, Auth, AuthError, AuthStore, EmailAddress, Origin, Token, Username,
    audit::{AuditAction, NewAuditEntry},
};

pub(crate) use unverified_limit::{RETRY_AFTER, UnverifiedMailLimit};

/// Letters that wait for the host at most; more are dropped, and a warning says so.
pub(crate) const QUEUE_LIMIT: usize = 1_000;

#[derive(Debug)]
pub struct OutgoingMail {
    pub to: EmailAddress,
    /// How the person is addressed: display name, or username; empty for an address that nobody has confirmed.
    pub name: String,
    pub body: MailBody,
}

#[derive(Debug)]
pub enum MailBody {
    /// A link that sets a new password of that account, once, until then.
    Reset {
        link: SecretString,
        username: Username,
        expires_at: Timestamp,
    },
    /// An invitation by `from`, once, until then.
    Invitation {
        link: SecretString,
        from: String,
        expires_at: Timestamp,
    },
    /// A link that makes this address that account's, once, until then.
    ConfirmEmail {
        link: SecretString,
        username: Username,
        expires_at: Timestamp,
    },
    /// A personal access token ends then.
    TokenExpiring {
        label: String,
        username: Username,
        expires_at: Timestamp,
    },
    /// Something happened to the account.
    SecurityNotice {
        notice: SecurityNotice,
        /// The name of the factor, token or provider that the notice is about.
        about: Option<String>,
        at: Timestamp,
        origin: Origin,
    },
}

/// What an account's owner hears of, by mail and on the security page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityNotice {
    PasswordChanged,
    PasswordReset,
    /// A refresh token was used twice; its session was ended.
    TokenReplayed,
    /// A sign-in on a device that was not seen before.
    NewDevice,
    /// A sign-in after many that were refused.
    SignInAfterFailures,
    /// A sign-in after long without any.
    SignInAfterLongAbsence,
    /// The right password at a place that was not seen before, and no second factor so far.
    MfaPending,
    FactorAdded,
    FactorRemoved,
    /// A passkey's counter went back: somebody may have a copy.
    PasskeyCloned,
    RecoveryCodeUsed,
    RecoveryCodesCreated,
    /// An administrator took all second factors away.
    FactorsReset,
    PersonalTokenCreated,
    ProviderLinked,
    ProviderUnlinked,
    EmailChanged,
    /// Another address was asked for, and does not count yet.
    EmailChangeRequested,
    /// An administrator made a link that sets a new password.
    ResetLinkCreated,
    /// An administrator wants a new password.
    PasswordChangeRequired,
}

impl SecurityNotice {
    /// What the audit calls it; `None` where the store records it with the change itself.
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
            | Self::EmailChangeRequested
            | Self::ResetLinkCreated
            | Self::PasswordChangeRequired => None,
        }
    }
}

impl<S: AuthStore> Auth<S> {
    /// The letters to send: drop it to send none. There is one box: `None` for whoever asks a second time.
    pub fn take_mail_queue(&self) -> Option<mpsc::Receiver<OutgoingMail>> {
        self.0
            .mail_queue
            .1
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take()
    }

    /// A page of the installation with a secret behind the `#`, where no server and no log ever sees it. Built from the
    /// settings: what a request says of the host (`Host`, `X-Forwarded-Host`) never leads to a link.
    pub(crate) fn link(&self, page: &str, token: &Token) -> SecretString {
        format!("{}/{page}#{}", self.0.settings.issuer, token.expose()).into()
    }

    /// Never waits and never fails what it is told about.
    pub(crate) fn enqueue(&self, mail: OutgoingMail) {
        match self.0.mail_queue.0.try_send(mail) {
            Ok(()) => {}
            Err(TrySendError::Closed(_)) => {
                tracing::debug!("a letter was dropped: this installation sends none")
            }
            Err(TrySendError::Full(_)) => {
                tracing::warn!("a letter was dropped: too many wait to be sent")
            }
        }
    }

    /// Puts it into the audit as the owner's own deed, and into a letter where the owner has an address.
    pub(crate) async fn audit_and_notify(
        &self,
        owner: &Account,
        notice: SecurityNotice,
        from: &Origin,
    ) -> Result<(), AuthError> {
        self.audit_and_notify_by(owner, notice, &Actor::owner(owner).with_origin(from))
            .await
    }

    /// As [`tell`](Self::tell), of what `by` did: the owner in a session, or an administrator.
    pub(crate) async fn audit_and_notify_by(
        &self,
        owner: &Account,
        notice: SecurityNotice,
        by: &Actor,
    ) -> Result<(), AuthError> {
        if let Some(action) = notice.audit_action() {
            self.record(
                NewAuditEntry::new(by, action, self.0.clock.now()).subject(owner.username.as_str()),
            )
            .await?;
        }
        if let Some(from) = &by.origin {
            self.notify(owner, notice, from);
        }
        Ok(())
    }

    /// As [`tell`](Self::tell), of a factor, token or provider that the mail names.
    pub(crate) async fn tell_about(
        &self,
        owner: &Account,
        notice: SecurityNotice,
        name: &str,
        from: &Origin,
    ) -> Result<(), AuthError> {
        if let Some(deed) = notice.audit_action() {
            let by = Actor::owner(owner).with_origin(from);
            self.record(
                NewAuditEntry::new(&by, deed, self.0.clock.now()).subject(owner.username.as_str()),
            )
            .await?;
        }
        self.notify_about(owner, notice, Some(name.to_owned()), from);
        Ok(())
    }

    /// The letter alone.
    pub(crate) fn notify(&self, owner: &Account, notice: SecurityNotice, from: &Origin) {
        self.notify_about(owner, notice, None, from);
    }

    fn notify_about(
        &self,
        owner: &Account,
        notice: SecurityNotice,
        about: Option<String>,
        from: &Origin,
    ) {
        let Some(to) = owner.email.clone() else {
            return;
        };
        if !self.may_mail(owner) {
            tracing::warn!(username = %owner.username, "a letter was not sent: too many went to that address today");
            return;
        }
        let body = MailBody::SecurityNotice {
            notice,
            about,
            at: self.0.clock.now(),
            origin: from.clone(),
        };
        self.enqueue(OutgoingMail {
            to,
            name: greeting_name(owner),
            body,
        });
    }

    /// Whether the address of an account, which may be a stranger's as long as nobody has confirmed it, gets one more.
    pub(crate) fn may_mail(&self, owner: &Account) -> bool {
        let Some(to) = &owner.email else { return false };
        owner.email_verified
            || self
                .0
                .unverified_mail_limit
                .allow_mailbox(to, self.0.clock.now())
    }

    pub(crate) fn mail_disabled(&self) -> bool {
        self.0.mail_queue.0.is_closed()
    }

    /// Appends what changes no rows, or was changed already.
    pub(crate) async fn record(&self, record: NewAuditEntry) -> Result<(), AuthError> {
        Ok(self.0.store.record(record).await?)
    }
}

/// By name where that is who reads it; a stranger is not told what somebody else calls themselves.
pub(crate) fn greeting_name(owner: &Account) -> String {
    if owner.email_verified {
        owner.display_label().to_owned()
    } else {
        String::new()
    }
}
