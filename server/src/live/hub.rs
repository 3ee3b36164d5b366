//! The meeting place: one [`Channel`] for each vault that somebody watches, fed by one follower.

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
    ring::Ring,
    source::{EventSource, VaultEvents},
    subscription::Subscription,
};

/// Streams that read old events, and streams that ask whether they may go on, at one time: the rest wait their turn, so
/// that ten thousand reconnecting clients do not become ten thousand queries at once.
const READERS: usize = 4;
const ASKERS: usize = 32;

/// How long a new stream waits for its vault's follower to have read the log for the first time.
const START: Duration = Duration::from_secs(5);

/// See the module. One per process, cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    source: Box<dyn EventSource>,
    channels: Mutex<HashMap<VaultId, Arc<Channel>>>,
    stopping: watch::Receiver<bool>,
    readers: Semaphore,
    askers: Semaphore,
    opened: AtomicU64,
}

/// One vault's newest messages.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) vault: Realm,
    ring: Mutex<Ring>,
    /// The newest id in the ring; `None` until the log was read for the first time. Closed when the follower ends.
    head: watch::Receiver<Option<i64>>,
}

impl Hub {
    /// `stopping` turns true (or is dropped) when the server shuts down: every stream is told and ends.
    #[must_use]
    pub fn new(source: impl EventSource, stopping: watch::Receiver<bool>) -> Self {
        Self(Arc::new(Inner {
            source: Box::new(source),
            channels: Mutex::default(),
            stopping,
            readers: Semaphore::new(READERS),
            askers: Semaphore::new(ASKERS),
            opened: AtomicU64::new(0),
        }))
    }

    /// Over the store's event log.
    #[must_use]
    pub fn over<S: VaultStore, B: BlobStore>(
        store: S,
        vault: Vault<S, B>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self::new(VaultEvents { store, vault }, stopping)
    }

    /// A stream of `vault` from just after the event `since`; from now where there is none.
    ///
    /// Everything recorded after this returns is on the stream.
    pub(super) async fn subscribe(
        &self,
        vault: &Realm,
        since: Option<i64>,
    ) -> Result<Subscription, StoreUnavailable> {
        let (channel, mut head) = self.channel(vault);
        let known = tokio::time::timeout(START, head.wait_for(Option::is_some)).await;
        let known = known.ok().and_then(Result::ok).and_then(|head| *head);
        let known = known
            .ok_or_else(|| StoreUnavailable::from_source("the event log was not read in time"))?;
        let mut subscription = Subscription::new(self.clone(), channel, head, known);
        match since {
            None => {}
            Some(since) if since <= known => subscription.go_back_to(since.max(0)),
            // Another node may have been quicker than our follower, so the log decides.
            Some(since) => {
                let newest = self.source().head(&vault.id).await?;
                if since <= newest {
                    subscription.go_back_to(since)
                } else {
                    subscription.resync_at(newest)
                }
            }
        }
        Ok(subscription)
    }

    /// The vault's channel with a receiver of it, which keeps the follower going. Starts the follower if there is none.
    fn channel(&self, vault: &Realm) -> (Arc<Channel>, watch::Receiver<Option<i64>>) {
        let mut channels = self.channels();
        if let Some(channel) = channels.get(&vault.id) {
            return (channel.clone(), channel.head.clone());
        }
        let (sender, head) = watch::channel(None);
        let channel = Arc::new(Channel {
            vault: vault.clone(),
            ring: Mutex::default(),
            head: head.clone(),
        });
        channels.insert(vault.id.clone(), channel.clone());
        tokio::spawn(follower::follow(self.clone(), channel.clone(), sender));
        (channel, head)
    }

    /// Takes a channel away if `nobody_is_there`; true if it is gone. New streams start another.
    pub(super) fn forget(
        &self,
        channel: &Arc<Channel>,
        nobody_is_there: impl FnOnce() -> bool,
    ) -> bool {
        let mut channels = self.channels();
        let gone = nobody_is_there();
        if gone
            && channels
                .get(&channel.vault.id)
                .is_some_and(|current| Arc::ptr_eq(current, channel))
        {
            channels.remove(&channel.vault.id);
        }
        gone
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

    pub(super) fn askers(&self) -> &Semaphore {
        &self.0.askers
    }

    /// A number for each stream, by which their timers are spread.
    pub(super) fn next_number(&self) -> u64 {
        self.0.opened.fetch_add(1, Ordering::Relaxed)
    }
}

impl Channel {
    /// True while some stream holds a receiver beside the channel's own.
    pub(super) fn is_watched(head: &watch::Sender<Option<i64>>) -> bool {
        head.receiver_count() > 1
    }

    pub(super) fn start_above(&self, floor: i64) {
        *self.ring() = Ring::above(floor);
    }

    pub(super) fn push(&self, messages: impl IntoIterator<Item = Arc<Message>>) {
        let mut ring = self.ring();
        for message in messages {
            ring.push(message);
        }
    }

    pub(super) fn after(&self, id: i64, most: usize) -> Option<Vec<Arc<Message>>> {
        self.ring().after(id, most)
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("vaults", &self.channels().len())
            .finish_non_exhaustive()
    }
}
