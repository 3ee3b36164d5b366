//! What providers say of themselves, for a while. Each is asked by one at a time, and none holds up another.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    Provider, UpstreamUser,
    login_state::LoginState,
    protocol::{self, Expected, IdTokenError, Metadata},
};
use crate::{
    Auth, AuthError, AuthStore, Origin, clock,
    throttle::{Attempt, CredentialKind},
};

/// How long what a provider says of itself is believed.
const METADATA_TTL: Duration = Duration::from_hours(1);
/// It may have other keys than it had. It is asked for them at most so often.
const REFETCH_AGE: Duration = Duration::from_secs(30);
/// One that did not answer is not asked again so soon.
const FAILURE_COOLDOWN: Duration = Duration::from_secs(10);
/// So long it has to say everything of itself.
pub(crate) const FETCH_TIMEOUT: Duration = if cfg!(test) {
    Duration::from_secs(1)
} else {
    Duration::from_secs(10)
};

/// By provider.
#[derive(Default)]
pub(crate) struct MetadataCache(Mutex<HashMap<String, Arc<ProviderCache>>>);

#[derive(Default)]
struct ProviderCache {
    get: Mutex<CachedMetadata>,
    /// Held by whoever asks; the others wait for what is heard, and no longer than one question takes.
    fetch_lock: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct CachedMetadata {
    metadata: Option<(Arc<Metadata>, Timestamp)>,
    failed_at: Option<Timestamp>,
}

impl MetadataCache {
    fn provider(&self, provider: &Provider) -> Arc<ProviderCache> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cache.entry(provider.id.clone()).or_default())
    }
}

impl ProviderCache {
    fn cached(&self) -> CachedMetadata {
        self.get
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, answer: Option<Arc<Metadata>>, now: Timestamp) {
        let mut cached = self.get.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Some(metadata) => {
                *cached = CachedMetadata {
                    metadata: Some((metadata, now)),
                    failed_at: None,
                }
            }
            // What it said before is as good as it was.
            None => cached.failed_at = Some(now),
        }
    }
}

impl CachedMetadata {
    fn fresh(&self, age: Duration, now: Timestamp) -> Option<Arc<Metadata>> {
        let (metadata, at) = self.metadata.as_ref()?;
        (now < clock::add(*at, age)).then(|| Arc::clone(metadata))
    }
}

impl fmt::Debug for MetadataCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}

impl<S: AuthStore> Auth<S> {
    pub(crate) async fn metadata(&self, provider: &Provider) -> Result<Arc<Metadata>, AuthError> {
        self.metadata_within(METADATA_TTL, provider).await
    }

    async fn metadata_within(
        &self,
        age: Duration,
        provider: &Provider,
    ) -> Result<Arc<Metadata>, AuthError> {
        let cache = self.0.upstream_metadata.provider(provider);
        if let Some(metadata) = cache.cached().fresh(age, self.0.clock.now()) {
            return Ok(metadata);
        }
        // By itself, so that a failure is remembered also where whoever asked hangs up.
        let (auth, provider) = (self.clone(), provider.clone());
        let fetched = tokio::spawn(async move {
            let _guard = cache.fetch_lock.lock().await;
            let (cached, now) = (cache.cached(), auth.0.clock.now());
            if let Some(metadata) = cached.fresh(age, now) {
                return Ok(metadata);
            }
            if cached
                .failed_at
                .is_some_and(|at| now < clock::add(at, FAILURE_COOLDOWN))
            {
                return Err(AuthError::ProviderUnavailable);
            }
            let answer = auth.discover(&provider).await;
            cache.set(answer.as_ref().ok().cloned(), auth.0.clock.now());
            answer
        });
        fetched
            .await
            .unwrap_or(Err(AuthError::Internal("asking a provider panicked")))
    }

    async fn discover(&self, provider: &Provider) -> Result<Arc<Metadata>, AuthError> {
        let Ok(answer) =
            tokio::time::timeout(FETCH_TIMEOUT, protocol::discover(self.http()?, provider)).await
        else {
            tracing::warn!(provider = %provider.id, "a provider did not answer in time");
            return Err(AuthError::ProviderUnavailable);
        };
        answer.map(Arc::new)
    }

    /// A provider changes its keys when it likes (`OpenID` Connect Core §10.1.1): a token that fits none that we know is
    /// looked at once more with those that it has now.
    pub(crate) async fn exchange_and_verify(
        &self,
        provider: &Provider,
        login_state: &LoginState,
        code: SecretString,
        from: &Origin,
    ) -> Result<UpstreamUser, AuthError> {
        let metadata = self.metadata(provider).await?;
        // Unlike our own codes it costs a request to learn that this one is made up.
        let guard = self
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
                    self.count(guard).await?;
                    return Err(error);
                }
            };
        let expected = Expected {
            login_state,
            now: self.0.clock.now(),
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
