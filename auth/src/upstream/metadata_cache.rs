//! Cache of provider metadata and keys, and of failures to load them. Deliberately absent: loading
//! them (`metadata_loading`).

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::{discovery::Metadata, provider::Provider};
use crate::{AuthError, clock, error::UpstreamError};

/// By provider id.
#[derive(Default)]
pub(crate) struct MetadataCache(Mutex<HashMap<String, Arc<ProviderCache>>>);

#[derive(Default)]
pub(super) struct ProviderCache {
    state: Mutex<CachedMetadata>,
    /// Held during a fetch. Other tasks wait for its result, at most one fetch long.
    pub(super) fetch_lock: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
pub(super) struct CachedMetadata {
    metadata: Option<(Arc<Metadata>, Timestamp)>,
    failed: Option<Failure>,
}

#[derive(Clone, Copy)]
struct Failure {
    kind: FailureKind,
    at: Timestamp,
}

/// Told apart on the page, also during the cooldown.
#[derive(Clone, Copy)]
enum FailureKind {
    NotReached,
    Unusable,
}

impl FailureKind {
    fn of(error: &AuthError) -> Self {
        match error {
            AuthError::Upstream(UpstreamError::ProviderResponseUnusable) => Self::Unusable,
            _ => Self::NotReached,
        }
    }

    fn into_error(self) -> AuthError {
        AuthError::Upstream(match self {
            Self::NotReached => UpstreamError::ProviderUnavailable,
            Self::Unusable => UpstreamError::ProviderResponseUnusable,
        })
    }
}

impl MetadataCache {
    pub(super) fn provider(&self, provider: &Provider) -> Arc<ProviderCache> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cache.entry(provider.id.clone()).or_default())
    }
}

impl ProviderCache {
    pub(super) fn cached(&self) -> CachedMetadata {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn set(&self, answer: &Result<Arc<Metadata>, AuthError>, now: Timestamp) {
        let mut cached = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(metadata) => {
                *cached = CachedMetadata {
                    metadata: Some((Arc::clone(metadata), now)),
                    failed: None,
                }
            }
            // The cached metadata stays valid.
            Err(error) => {
                let kind = FailureKind::of(error);
                cached.failed = Some(Failure { kind, at: now });
            }
        }
    }
}

impl CachedMetadata {
    pub(super) fn fresh(&self, age: Duration, now: Timestamp) -> Option<Arc<Metadata>> {
        let (metadata, at) = self.metadata.as_ref()?;
        clock::is_within(*at, age, now).then(|| Arc::clone(metadata))
    }
}

impl CachedMetadata {
    /// The error of a fetch that failed less than `cooldown` ago.
    pub(super) fn recent_failure(&self, cooldown: Duration, now: Timestamp) -> Option<AuthError> {
        let failure = self.failed?;
        clock::is_within(failure.at, cooldown, now).then(|| failure.kind.into_error())
    }
}

impl fmt::Debug for MetadataCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetadataCache")
    }
}
