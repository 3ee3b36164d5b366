//! Reminders of personal access tokens that expire soon, one per token.

use std::time::Duration;

use crate::{
    AuthError, AuthStore, MailBody, OutgoingMail, Session, clock, handles::Mail,
    mail::greeting_name,
};

/// How long before the expiry. Tokens with less than twice this lifetime get no reminder.
pub const REMIND_BEFORE: Duration = Duration::from_hours(7 * 24);

impl<S: AuthStore> Mail<'_, S> {
    /// Mails the owners of tokens that expire soon. Without mail, tokens are not claimed, and only
    /// the page shows the expiry.
    pub(crate) async fn send_expiry_reminders(self) {
        if self.mail_disabled() {
            return;
        }
        let now = self.0.core.clock.now();
        match self
            .0
            .core
            .store
            .claim_expiring_tokens(now, clock::add(now, REMIND_BEFORE))
            .await
        {
            Ok(tokens) => {
                for token in tokens {
                    if let Err(error) = self.remind_owner(token).await {
                        tracing::warn!(%error, "token expiry reminder could not be sent");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "expiring tokens could not be queried"),
        }
    }

    async fn remind_owner(self, token: Session) -> Result<(), AuthError> {
        let Some(owner) = self
            .0
            .passwords()
            .active_credentials(&token.username)
            .await?
        else {
            return Ok(());
        };
        let owner = owner.account;
        let Some(to) = owner.email.clone().filter(|_| self.may_mail(&owner)) else {
            return Ok(());
        };
        // An unverified address may belong to another person, so the label is omitted.
        let label = token
            .label
            .filter(|_| owner.email_verified)
            .unwrap_or_default();
        let body = MailBody::TokenExpiring {
            label,
            username: token.username,
            expires_at: token.expires_at,
        };
        self.enqueue(OutgoingMail {
            to,
            name: greeting_name(&owner),
            body,
        });
        Ok(())
    }
}
