//! Cache of provider metadata and keys. Deliberately absent: loading them (`discovery`).

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{protocol::Metadata, provider::Provider};
use crate::clock;
use jiff::Timestamp;

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
    pub(super) failed_at: Option<Timestamp>,
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

    pub(super) fn set(&self, answer: Option<Arc<Metadata>>, now: Timestamp) {
        let mut cached = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Some(metadata) => {
                *cached = CachedMetadata {
                    metadata: Some((metadata, now)),
                    failed_at: None,
                }
            }
            // The cached metadata stays valid.
            None => cached.failed_at = Some(now),
        }
    }
}

impl CachedMetadata {
    pub(super) fn fresh(&self, age: Duration, now: Timestamp) -> Option<Arc<Metadata>> {
        let (metadata, at) = self.metadata.as_ref()?;
        clock::is_within(*at, age, now).then(|| Arc::clone(metadata))
    }
}

impl fmt::Debug for MetadataCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetadataCache")
    }
}
