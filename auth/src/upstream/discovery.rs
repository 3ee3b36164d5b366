//! Loads provider metadata and keys. Each provider is fetched by one task at a time, independent of
//! the others.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;

use super::{
    login_state::LoginState,
    protocol::{self, Expected, IdTokenError, Metadata},
    provider::{Provider, UpstreamUser},
};
use crate::{
    AuthError, AuthStore, Origin, clock,
    detached::detached,
    error::UpstreamError,
    handles::Upstream,
    throttle::{Attempt, CredentialKind},
};

/// How long metadata is used without a new fetch.
const METADATA_TTL: Duration = Duration::from_hours(1);
/// Minimum interval of fetches after an unknown key.
const REFETCH_AGE: Duration = Duration::from_secs(30);
/// No fetch follows a failed one for this long.
const FAILURE_COOLDOWN: Duration = Duration::from_secs(10);
/// Timeout for discovery and keys together.
pub(crate) const FETCH_TIMEOUT: Duration = if cfg!(test) {
    Duration::from_secs(1)
} else {
    Duration::from_secs(10)
};

impl<S: AuthStore> Upstream<'_, S> {
    pub(crate) async fn metadata(self, provider: &Provider) -> Result<Arc<Metadata>, AuthError> {
        self.metadata_within(METADATA_TTL, provider).await
    }

    async fn metadata_within(
        self,
        age: Duration,
        provider: &Provider,
    ) -> Result<Arc<Metadata>, AuthError> {
        let cache = self.0.upstream.metadata.provider(provider);
        if let Some(metadata) = cache.cached().fresh(age, self.0.core.clock.now()) {
            return Ok(metadata);
        }
        // Detached, so that a failure is cached even if the client disconnects.
        let (auth, provider) = (self.0.auth(), provider.clone());
        detached(async move {
            let _guard = cache.fetch_lock.lock().await;
            let (cached, now) = (cache.cached(), auth.0.core.clock.now());
            if let Some(metadata) = cached.fresh(age, now) {
                return Ok(metadata);
            }
            if cached
                .failed_at
                .is_some_and(|at| clock::is_within(at, FAILURE_COOLDOWN, now))
            {
                return Err(AuthError::Upstream(UpstreamError::ProviderUnavailable));
            }
            let answer = auth.upstream().discover(&provider).await;
            cache.set(answer.as_ref().ok().cloned(), auth.0.core.clock.now());
            answer
        })
        .await
    }

    async fn discover(self, provider: &Provider) -> Result<Arc<Metadata>, AuthError> {
        let Ok(answer) =
            tokio::time::timeout(FETCH_TIMEOUT, protocol::discover(self.http()?, provider)).await
        else {
            tracing::warn!(provider = %provider.id, "provider metadata request timed out");
            return Err(AuthError::Upstream(UpstreamError::ProviderUnavailable));
        };
        answer.map(Arc::new)
    }

    /// Exchanges the code and verifies the ID token. An invalid signature causes one new fetch of
    /// the keys, because providers rotate them at any time (`OpenID` Connect Core §10.1.1).
    pub(crate) async fn exchange_and_verify(
        self,
        provider: &Provider,
        login_state: &LoginState,
        code: SecretString,
        from: &Origin,
    ) -> Result<UpstreamUser, AuthError> {
        let metadata = self.metadata(provider).await?;
        // An invalid code costs a request to the provider, so attempts are throttled before the
        // exchange.
        let guard = self
            .0
            .throttling()
            .begin_attempt(&Attempt {
                kind: CredentialKind::AuthorizationCode,
                account: None,
                from,
            })
            .await?;
        let token =
            match protocol::exchange_code(self.http()?, provider, &metadata, login_state, code)
                .await
            {
                Ok(token) => token,
                Err(error) => {
                    self.0.throttling().count(guard).await?;
                    return Err(error);
                }
            };
        let expected = Expected {
            login_state,
            now: self.0.core.clock.now(),
        };
        match protocol::verify_id_token(provider, &metadata, &token, expected) {
            Err(IdTokenError::Signature(error)) => {
                let newer = self.metadata_within(REFETCH_AGE, provider).await?;
                if Arc::ptr_eq(&newer, &metadata) {
                    return Err(error);
                }
                Ok(protocol::verify_id_token(
                    provider, &newer, &token, expected,
                )?)
            }
            answer => Ok(answer?),
        }
    }
}
