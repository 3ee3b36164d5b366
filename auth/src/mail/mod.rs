//! Mails to users: their content and the queue. Deliberately absent: sending, which the host may
//! do.

mod message;
mod mfa_notice;
mod pending_mfa;
pub mod token_expiry;
mod unverified_limit;

use secrecy::SecretString;
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::{
    Account, AccountStatus, Actor, AuthError, AuthStore, Origin, Token, Username,
    audit::NewAuditEntry, handles::Mail,
};

pub(crate) use message::QUEUE_LIMIT;
pub use message::{HostNotice, MailBody, OutgoingMail, SecurityNotice};
pub(crate) use pending_mfa::PendingMfaNotices;
pub(crate) use unverified_limit::{RETRY_AFTER, UnverifiedMailLimit};

impl<S: AuthStore> Mail<'_, S> {
    /// The receiver of the mail queue; `None` after the first call. If the host drops it, no mail
    /// is sent.
    pub fn take_mail_queue(self) -> Option<mpsc::Receiver<OutgoingMail>> {
        self.0
            .mail
            .queue
            .1
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take()
    }

    /// A link to a page with the token in the fragment, which reaches no server and no log.
    ///
    /// The host name comes from the settings: the headers `Host` and `X-Forwarded-Host` never
    /// affect a link.
    pub(crate) fn link(self, page: &str, token: &Token) -> SecretString {
        format!("{}/{page}#{}", self.0.core.settings.issuer, token.expose()).into()
    }

    /// Adds a mail to the queue. Never blocks and never fails.
    pub(crate) fn enqueue(self, mail: OutgoingMail) {
        match self.0.mail.queue.0.try_send(mail) {
            Ok(()) => {}
            Err(TrySendError::Closed(_)) => {
                tracing::debug!("mail dropped: this installation sends no mail");
            }
            Err(TrySendError::Full(_)) => {
                tracing::warn!("mail dropped: the queue is full");
            }
        }
    }

    /// Records the event in the audit with the owner as actor, and mails it to the owner's address,
    /// if any.
    pub(crate) async fn audit_and_notify(
        self,
        owner: &Account,
        notice: SecurityNotice,
        from: &Origin,
    ) -> Result<(), AuthError> {
        self.audit_and_notify_by(owner, notice, &Actor::owner(owner).with_origin(from))
            .await
    }

    /// As `audit_and_notify`, with another actor: the owner in a session, or an administrator.
    pub(crate) async fn audit_and_notify_by(
        self,
        owner: &Account,
        notice: SecurityNotice,
        by: &Actor,
    ) -> Result<(), AuthError> {
        if let Some(action) = notice.audit_action() {
            self.record(
                NewAuditEntry::new(by, action, self.0.core.clock.now())
                    .subject(owner.username.as_str()),
            )
            .await?;
        }
        if let Some(from) = &by.origin {
            self.notify(owner, notice, from);
        }
        Ok(())
    }

    /// As `audit_and_notify`, with the name of a factor, token or provider.
    pub(crate) async fn audit_and_notify_about(
        self,
        owner: &Account,
        notice: SecurityNotice,
        name: &str,
        from: &Origin,
    ) -> Result<(), AuthError> {
        if let Some(action) = notice.audit_action() {
            let by = Actor::owner(owner).with_origin(from);
            self.record(
                NewAuditEntry::new(&by, action, self.0.core.clock.now())
                    .subject(owner.username.as_str()),
            )
            .await?;
        }
        self.notify_about(owner, notice, Some(name.to_owned()), from);
        Ok(())
    }

    /// Mails the event without an audit entry.
    pub(crate) fn notify(self, owner: &Account, notice: SecurityNotice, from: &Origin) {
        self.notify_about(owner, notice, None, from);
    }

    /// Mails an event of the host to the owner's address, if the account is active and has one.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn notify_of_host_event(
        self,
        owner: &Username,
        notice: HostNotice,
    ) -> Result<(), AuthError> {
        let member = self.0.core.store.member(owner).await?;
        let Some(account) = member.map(|member| member.account) else {
            return Ok(());
        };
        let Some(to) = account.email.clone() else {
            return Ok(());
        };
        if account.status != AccountStatus::Active || !self.may_mail(&account) {
            return Ok(());
        }
        let is_verified = account.email_verified;
        let notice = HostNotice {
            subject: notice.subject.filter(|_| is_verified),
            reason: notice.reason.filter(|_| is_verified),
            ..notice
        };
        self.enqueue(OutgoingMail {
            to,
            name: greeting_name(&account),
            body: MailBody::HostNotice(notice),
        });
        Ok(())
    }

    fn notify_about(
        self,
        owner: &Account,
        notice: SecurityNotice,
        about: Option<String>,
        from: &Origin,
    ) {
        let Some(to) = owner.email.clone() else {
            return;
        };
        if !self.may_mail(owner) {
            tracing::warn!(username = %owner.username, "mail not sent: daily limit of an unverified address reached");
            return;
        }
        let body = MailBody::SecurityNotice {
            notice,
            about,
            at: self.0.core.clock.now(),
            origin: from.clone(),
        };
        self.enqueue(OutgoingMail {
            to,
            name: greeting_name(owner),
            body,
        });
    }

    /// Whether the account's address may receive a mail now. An unverified address may belong to
    /// another person, so it is limited.
    pub(crate) fn may_mail(self, owner: &Account) -> bool {
        let Some(to) = &owner.email else { return false };
        owner.email_verified || self.0.mail.unverified_limit.allow_mailbox(to)
    }

    pub(crate) fn mail_disabled(self) -> bool {
        self.0.mail.queue.0.is_closed()
    }

    /// Appends an entry that belongs to no change of rows, or to an earlier one.
    pub(crate) async fn record(self, record: NewAuditEntry) -> Result<(), AuthError> {
        Ok(self.0.core.store.record(record).await?)
    }
}

/// The display label; empty for an unverified address, whose reader may be another person.
pub(crate) fn greeting_name(owner: &Account) -> String {
    if owner.email_verified {
        owner.display_label().to_owned()
    } else {
        String::new()
    }
}
