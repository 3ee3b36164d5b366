//! Loads provider metadata and keys. Each provider is fetched by one task at a time, independent of
//! the others.

use std::{sync::Arc, time::Duration};

use super::{
    discovery::{self, Metadata},
    provider::Provider,
};
use crate::{AuthError, AuthStore, detached::detached, error::UpstreamError, handles::Upstream};

/// How long metadata is used without a new fetch.
const METADATA_TTL: Duration = Duration::from_hours(1);
/// Minimum interval of fetches after an unknown key.
pub(super) const REFETCH_AGE: Duration = Duration::from_secs(30);
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

    pub(super) async fn metadata_within(
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
            if let Some(error) = cached.recent_failure(FAILURE_COOLDOWN, now) {
                return Err(error);
            }
            let answer = auth.upstream().discover(&provider).await;
            cache.set(&answer, auth.0.core.clock.now());
            answer
        })
        .await
    }

    async fn discover(self, provider: &Provider) -> Result<Arc<Metadata>, AuthError> {
        let discovery = discovery::discover(self.http()?, provider);
        let Ok(answer) = tokio::time::timeout(FETCH_TIMEOUT, discovery).await else {
            tracing::warn!(provider = %provider.id, "provider metadata request timed out");
            return Err(AuthError::Upstream(UpstreamError::ProviderUnavailable));
        };
        answer.map(Arc::new)
    }
}
