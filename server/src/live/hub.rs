//! The registry of channels: one [`Channel`] for each vault with streams, filled by one follower.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use auth::{Realm, StoreUnavailable};
use tokio::sync::{Semaphore, watch};
use vault::{BlobStore, Vault, VaultId, VaultStore};

use super::{
    follower,
    message::Message,
    replay_buffer::ReplayBuffer,
    source::{EventSource, VaultEvents},
    subscription::Subscription,
};

/// Concurrent reads of old events, and concurrent access checks. Other streams wait, so that 10,000
/// reconnecting clients do not become 10,000 concurrent queries.
const MAX_READERS: usize = 4;
const MAX_AUTH_CHECKS: usize = 32;

/// Time in which a new stream waits for the first read of its vault's log.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// The registry. One per process, cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<HubInner>);

struct HubInner {
    source: Box<dyn EventSource>,
    channels: Mutex<HashMap<VaultId, Arc<Channel>>>,
    stopping: watch::Receiver<bool>,
    readers: Semaphore,
    auth_checks: Semaphore,
    connections: AtomicU64,
}

/// One vault's newest messages.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) vault: Realm,
    buffer: Mutex<ReplayBuffer>,
    /// The newest id in the ring, or `None` before the first read of the log. Closed when the
    /// follower ends.
    head: watch::Receiver<Option<i64>>,
}

impl Hub {
    /// `stopping` becomes true, or is dropped, when the server shuts down. Every stream then sends
    /// its close code and ends.
    #[must_use]
    pub fn new(source: impl EventSource, stopping: watch::Receiver<bool>) -> Self {
        Self(Arc::new(HubInner {
            source: Box::new(source),
            channels: Mutex::default(),
            stopping,
            readers: Semaphore::new(MAX_READERS),
            auth_checks: Semaphore::new(MAX_AUTH_CHECKS),
            connections: AtomicU64::new(0),
        }))
    }

    /// A hub over the event log of the store.
    #[must_use]
    pub fn for_vaults<S: VaultStore, B: BlobStore>(
        store: S,
        vault: Vault<S, B>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self::new(VaultEvents { store, vault }, stopping)
    }

    /// A stream of `vault` from after the event `since`, or from now if `since` is `None`.
    ///
    /// The stream has every event recorded after this returns.
    pub(super) async fn subscribe(
        &self,
        vault: &Realm,
        since: Option<i64>,
    ) -> Result<Subscription, StoreUnavailable> {
        let (channel, mut head) = self.channel(vault);
        let known = tokio::time::timeout(START_TIMEOUT, head.wait_for(Option::is_some)).await;
        let known = known.ok().and_then(Result::ok).and_then(|head| *head);
        let known = known
            .ok_or_else(|| StoreUnavailable::from_source("the event log was not read in time"))?;
        let mut subscription = Subscription::new(self.clone(), channel, head, known);
        match since {
            None => {}
            Some(since) if since <= known => subscription.resume_after(since.max(0)),
            // Another node may be ahead of this follower, so the log decides.
            Some(since) => {
                let newest = self.source().head(&vault.id).await?;
                if since <= newest {
                    subscription.resume_after(since);
                } else {
                    subscription.resync_at(newest);
                }
            }
        }
        Ok(subscription)
    }

    /// The vault's channel with a receiver, which keeps the follower running. Starts the follower
    /// if there is none.
    fn channel(&self, vault: &Realm) -> (Arc<Channel>, watch::Receiver<Option<i64>>) {
        let mut channels = self.channels();
        if let Some(channel) = channels.get(&vault.id) {
            return (channel.clone(), channel.head.clone());
        }
        let (sender, head) = watch::channel(None);
        let channel = Arc::new(Channel {
            vault: vault.clone(),
            buffer: Mutex::default(),
            head: head.clone(),
        });
        channels.insert(vault.id.clone(), channel.clone());
        tokio::spawn(follower::run(self.clone(), channel.clone(), sender));
        (channel, head)
    }

    /// Removes a channel if `nobody_is_there`, and returns whether it did. New streams start
    /// another.
    pub(super) fn remove_channel(
        &self,
        channel: &Arc<Channel>,
        is_unwatched: impl FnOnce() -> bool,
    ) -> bool {
        let mut channels = self.channels();
        let unwatched = is_unwatched();
        if unwatched
            && channels
                .get(&channel.vault.id)
                .is_some_and(|current| Arc::ptr_eq(current, channel))
        {
            channels.remove(&channel.vault.id);
        }
        unwatched
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<VaultId, Arc<Channel>>> {
        self.0
            .channels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn source(&self) -> &dyn EventSource {
        &*self.0.source
    }

    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.clone()
    }

    pub(super) fn readers(&self) -> &Semaphore {
        &self.0.readers
    }

    pub(super) fn auth_checks(&self) -> &Semaphore {
        &self.0.auth_checks
    }

    /// A number for each stream, which spreads their timers.
    pub(super) fn next_connection_number(&self) -> u64 {
        self.0.connections.fetch_add(1, Ordering::Relaxed)
    }
}

impl Channel {
    /// True while a stream has a receiver beside the channel's own.
    pub(super) fn is_watched(head: &watch::Sender<Option<i64>>) -> bool {
        head.receiver_count() > 1
    }

    pub(super) fn reset_to(&self, floor: i64) {
        *self.buffer() = ReplayBuffer::starting_after(floor);
    }

    pub(super) fn push(&self, messages: impl IntoIterator<Item = Arc<Message>>) {
        let mut buffer = self.buffer();
        for message in messages {
            buffer.push(message);
        }
    }

    pub(super) fn after(&self, id: i64, limit: usize) -> Option<Vec<Arc<Message>>> {
        self.buffer().after(id, limit)
    }

    fn buffer(&self) -> MutexGuard<'_, ReplayBuffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("vaults", &self.channels().len())
            .finish_non_exhaustive()
    }
}
