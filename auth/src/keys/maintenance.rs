//! Key maintenance: verifies tokens, loads new keys, rotates on schedule, and publishes public
//! keys.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use crate::{
    AuthError, AuthStore, clock,
    error::KeyError,
    handles::Keys,
    keys::ring::RotationTrigger,
    oauth::access_token::{AccessClaims, AccessTokenError},
};

/// Interval at which the key ring is reloaded. New and revoked keys take effect within one second.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);
/// Unknown key ids cause at most one database query per interval.
const REFETCH_COOLDOWN: Duration = Duration::from_secs(1);
/// Interval at which the age of the signing key is checked.
const ROTATION_CHECK: Duration = Duration::from_hours(1);

impl<S: AuthStore> Keys<'_, S> {
    /// Rotates the signing key if it is due, or if its algorithm differs from the settings. Call it
    /// at server start; the background tasks continue with it.
    pub async fn rotate_keys_if_due(self) -> Result<(), AuthError> {
        self.rotate_keys(RotationTrigger::Startup).await
    }

    /// The public keys as a JWK set (RFC 7517 §5); empty while HS256 signs.
    pub fn jwks(self) -> Value {
        let keys: Vec<Value> = self
            .0
            .sessions
            .access_tokens
            .keys()
            .all()
            .filter_map(crate::keys::signing::SigningKey::public_jwk)
            .collect();
        json!({ "keys": keys })
    }

    /// The claims of a valid access token, otherwise `None`. Answers from memory, unless the key id
    /// is unknown.
    pub(crate) async fn verify_access_token(
        self,
        token: &str,
    ) -> Result<Option<AccessClaims>, AuthError> {
        match self
            .0
            .sessions
            .access_tokens
            .verify(token, self.0.core.clock.now())
        {
            Ok(claims) => Ok(Some(claims)),
            Err(AccessTokenError::Invalid) => Ok(None),
            Err(AccessTokenError::UnknownKeyId) => {
                Box::pin(self.refetch_keys()).await?;
                Ok(self
                    .0
                    .sessions
                    .access_tokens
                    .verify(token, self.0.core.clock.now())
                    .ok())
            }
        }
    }

    /// Concurrent callers wait for one reload. Callers within the cooldown do not reload.
    async fn refetch_keys(self) -> Result<(), AuthError> {
        let mut last_refetch = self.0.sessions.key_refresh.lock().await;
        let now = self.0.core.clock.now();
        if last_refetch.is_some_and(|at| clock::is_within(at, REFETCH_COOLDOWN, now)) {
            return Ok(());
        }
        *last_refetch = Some(now);
        self.reload_keys().await
    }

    pub(crate) async fn reload_keys(self) -> Result<(), AuthError> {
        if self
            .0
            .sessions
            .access_tokens
            .set_keys(self.0.sessions.key_ring.load().await?)
        {
            tracing::info!(kid = %self.0.sessions.access_tokens.keys().signing().kid, "loaded a new access-token signing key");
        }
        Ok(())
    }

    async fn rotate_keys(self, trigger: RotationTrigger) -> Result<(), AuthError> {
        if let Some(kid) = self.0.sessions.key_ring.rotate_if_due(trigger).await? {
            tracing::info!(%kid, "rotated the access-token signing key");
            self.reload_keys().await?;
        }
        Ok(())
    }

    pub(crate) async fn watch_keys(self) -> AuthError {
        let mut ticks = tokio::time::interval(RELOAD_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut checked_at, mut failing) = (self.0.core.clock.now(), false);
        loop {
            ticks.tick().await;
            if let Err(mismatch @ AuthError::Key(KeyError::MasterKeyMismatch)) =
                self.0.sessions.key_ring.ensure_master().await
            {
                return mismatch;
            }
            let mut result = self.reload_keys().await;
            if result.is_ok()
                && !clock::is_within(checked_at, ROTATION_CHECK, self.0.core.clock.now())
            {
                checked_at = self.0.core.clock.now();
                result = self.rotate_keys(RotationTrigger::Periodic).await;
            }
            // Logged once per outage, not every second.
            if let (Err(error), false) = (&result, failing) {
                tracing::error!(%error, "the key ring cannot be read; the loaded keys stay in use");
            }
            failing = result.is_err();
        }
    }
}
