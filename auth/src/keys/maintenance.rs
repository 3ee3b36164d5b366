//! Keys at work: read tokens, hear of new keys, rotate in time, publish what is public.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use crate::{
    Auth, AuthError, AuthStore, clock,
    keys::ring::RotationTrigger,
    oauth::access_token::{AccessClaims, TokenError},
};

/// How often the ring is read anew: a new key is known, and a key that was ended is refused, a second later.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);
/// A made-up key name costs at most one look into the database in this time, however many are sent.
const REFETCH_COOLDOWN: Duration = Duration::from_secs(1);
/// How often it is asked whether it is time for a new key.
const ROTATION_CHECK: Duration = Duration::from_hours(1);

impl<S: AuthStore> Auth<S> {
    /// Rotates the signing key if it is old, or of another algorithm than the settings want. For the start of a server;
    /// [`follow`](Self::follow) goes on with it.
    pub async fn rotate_keys_if_due(&self) -> Result<(), AuthError> {
        self.rotate_keys(RotationTrigger::Startup).await
    }

    /// The public halves of the keys, as a JWK set (RFC 7517 §5): none while HS256 signs.
    pub fn jwks(&self) -> Value {
        let keys: Vec<Value> = self
            .0
            .access_tokens
            .keys()
            .all()
            .filter_map(crate::keys::signing::SigningKey::public_jwk)
            .collect();
        json!({ "keys": keys })
    }

    /// What an access token says; `None` for one that is not ours or out of time. Out of memory, except where it names
    /// a key that is not known here yet.
    pub(crate) async fn verify_access_token(
        &self,
        token: &str,
    ) -> Result<Option<AccessClaims>, AuthError> {
        match self.0.access_tokens.verify(token, self.0.clock.now()) {
            Ok(claims) => Ok(Some(claims)),
            Err(TokenError::Invalid) => Ok(None),
            Err(TokenError::UnknownKeyId) => {
                Box::pin(self.refetch_keys()).await?;
                Ok(self.0.access_tokens.verify(token, self.0.clock.now()).ok())
            }
        }
    }

    /// One asks; whoever comes meanwhile waits for it, and whoever comes soon after goes without.
    async fn refetch_keys(&self) -> Result<(), AuthError> {
        let mut last_refetch = self.0.key_refresh.lock().await;
        let now = self.0.clock.now();
        if last_refetch.is_some_and(|at| now < clock::add(at, REFETCH_COOLDOWN)) {
            return Ok(());
        }
        *last_refetch = Some(now);
        self.reload_keys().await
    }

    pub(crate) async fn reload_keys(&self) -> Result<(), AuthError> {
        if self.0.access_tokens.set_keys(self.0.key_ring.load().await?) {
            tracing::info!(kid = %self.0.access_tokens.keys().signing().kid, "another key signs access tokens now");
        }
        Ok(())
    }

    async fn rotate_keys(&self, trigger: RotationTrigger) -> Result<(), AuthError> {
        if let Some(kid) = self.0.key_ring.rotate_if_due(trigger).await? {
            tracing::info!(%kid, "the key that signs access tokens was rotated");
            self.reload_keys().await?;
        }
        Ok(())
    }

    pub(crate) async fn watch_keys(&self) -> AuthError {
        let mut ticks = tokio::time::interval(RELOAD_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut checked_at, mut failing) = (self.0.clock.now(), false);
        loop {
            ticks.tick().await;
            if let Err(mismatch @ AuthError::MasterKeyMismatch) =
                self.0.key_ring.ensure_master().await
            {
                return mismatch;
            }
            let mut result = self.reload_keys().await;
            if result.is_ok() && clock::since(checked_at, self.0.clock.now()) >= ROTATION_CHECK {
                checked_at = self.0.clock.now();
                result = self.rotate_keys(RotationTrigger::Periodic).await;
            }
            // Said once, not every second.
            if let (Err(error), false) = (&result, failing) {
                tracing::error!(%error, "the key ring cannot be read; the keys known so far stay in use");
            }
            failing = result.is_err();
        }
    }
}
