//! Personal access tokens end, and whoever runs a script by one hears of it in good time, once.

use std::time::Duration;

use crate::{Auth, AuthError, AuthStore, Letter, LetterBody, Session, clock, letter::greeted};

/// How long before its end. Tokens that do not live twice as long are ended by whoever made them for a day's work.
pub const BEFORE: Duration = Duration::from_hours(7 * 24);

impl<S: AuthStore> Auth<S> {
    /// Writes to the owners of tokens that end soon. Where no letters are sent, the page says it alone, and nobody
    /// counts as told.
    pub(crate) async fn remind(&self) {
        if self.sends_no_letters() {
            return;
        }
        let now = self.0.clock.now();
        match self
            .0
            .store
            .take_ending_tokens(now, clock::after(now, BEFORE))
            .await
        {
            Ok(tokens) => {
                for token in tokens {
                    if let Err(error) = self.remind_of(token).await {
                        tracing::warn!(%error, "nobody was told that a token ends");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "tokens that end soon were not looked for"),
        }
    }

    async fn remind_of(&self, token: Session) -> Result<(), AuthError> {
        let Some(owner) = self.active(&token.username).await? else {
            return Ok(());
        };
        let owner = owner.account;
        let Some(to) = owner.email.clone().filter(|_| self.may_write_to(&owner)) else {
            return Ok(());
        };
        // What somebody calls their token is not said to a stranger.
        let label = token
            .label
            .filter(|_| owner.email_verified)
            .unwrap_or_default();
        let body = LetterBody::TokenEnds {
            label,
            username: token.username,
            until: token.expires_at,
        };
        self.post(Letter {
            to,
            name: greeted(&owner),
            body,
        });
        Ok(())
    }
}
