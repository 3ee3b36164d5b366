//! Personal access tokens end, and whoever runs a script by one hears of it in good time, once.

use std::time::Duration;

use crate::{
    Auth, AuthError, AuthStore, MailBody, OutgoingMail, Session, clock, mail::greeting_name,
};

/// How long before its end. Tokens that do not live twice as long are ended by whoever made them for a day's work.
pub const REMIND_BEFORE: Duration = Duration::from_hours(7 * 24);

impl<S: AuthStore> Auth<S> {
    /// Writes to the owners of tokens that end soon. Where no letters are sent, the page says it alone, and nobody
    /// counts as told.
    pub(crate) async fn send_expiry_reminders(&self) {
        if self.mail_disabled() {
            return;
        }
        let now = self.0.clock.now();
        match self
            .0
            .store
            .claim_expiring_tokens(now, clock::add(now, REMIND_BEFORE))
            .await
        {
            Ok(tokens) => {
                for token in tokens {
                    if let Err(error) = self.remind_owner(token).await {
                        tracing::warn!(%error, "nobody was told that a token ends");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "tokens that end soon were not looked for"),
        }
    }

    async fn remind_owner(&self, token: Session) -> Result<(), AuthError> {
        let Some(owner) = self.active_credentials(&token.username).await? else {
            return Ok(());
        };
        let owner = owner.account;
        let Some(to) = owner.email.clone().filter(|_| self.may_mail(&owner)) else {
            return Ok(());
        };
        // What somebody calls their token is not said to a stranger.
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
