//! Mails the [pending notices](super::pending_mfa) that are due.

use jiff::Timestamp;

use super::{MailBody, OutgoingMail, SecurityNotice, greeting_name, pending_mfa::PendingMfaNotice};
use crate::{AccountStatus, AuthError, AuthStore, handles::Mail, store::SourceFamiliarity};

impl<S: AuthStore> Mail<'_, S> {
    /// Mails the notices whose sign-in was not completed from the same source.
    pub(crate) async fn send_due_mfa_notices(self) {
        let now = self.0.core.clock.now();
        for notice in self.0.mail.pending_mfa.take_due(now) {
            if let Err(error) = self.send_mfa_notice(notice, now).await {
                tracing::warn!(%error, "the notice of a pending second factor was not mailed");
            }
        }
    }

    async fn send_mfa_notice(
        self,
        notice: PendingMfaNotice,
        now: Timestamp,
    ) -> Result<(), AuthError> {
        let PendingMfaNotice { owner, from, at } = notice;
        let store = &self.0.core.store;
        if store.is_known_source(&owner, &from).await? != SourceFamiliarity::New
            || self.0.mail.mfa_notices.should_report(&owner, now).is_none()
        {
            return Ok(());
        }
        let account = store.member(&owner).await?.map(|member| member.account);
        let active = account.filter(|account| account.status == AccountStatus::Active);
        if let Some(account) = active.filter(|account| self.may_mail(account))
            && let Some(to) = account.email.clone()
        {
            self.enqueue(OutgoingMail {
                to,
                name: greeting_name(&account),
                body: MailBody::SecurityNotice {
                    notice: SecurityNotice::MfaPending,
                    about: None,
                    at,
                    origin: from,
                },
            });
        }
        Ok(())
    }
}
