//! Where a vault's events come from.

use auth::StoreUnavailable;
use futures_util::future::BoxFuture;
use tokio::sync::broadcast;
use vault::{BlobStore, Event, Vault, VaultId, VaultStore};

type Answer<'a, T> = BoxFuture<'a, Result<T, StoreUnavailable>>;

/// The event log, as the followers read it. Ids of one vault become visible in order.
pub trait EventSource: Send + Sync + 'static {
    /// Events with a greater id, oldest first, at most `limit`.
    fn events<'a>(&'a self, vault: &'a VaultId, since: i64, limit: u32) -> Answer<'a, Vec<Event>>;
    /// The newest event's id, 0 if there is none.
    fn head<'a>(&'a self, vault: &'a VaultId) -> Answer<'a, i64>;
    /// A hint that something was recorded here. Nothing depends on it but speed.
    fn recorded(&self) -> broadcast::Receiver<VaultId>;
}

/// The log in the store, with the hints of the vault service.
#[derive(Debug)]
pub struct VaultEvents<S, B> {
    pub store: S,
    pub vault: Vault<S, B>,
}

impl<S: VaultStore, B: BlobStore> EventSource for VaultEvents<S, B> {
    fn events<'a>(&'a self, vault: &'a VaultId, since: i64, limit: u32) -> Answer<'a, Vec<Event>> {
        Box::pin(self.store.events(vault, since, limit))
    }

    fn head<'a>(&'a self, vault: &'a VaultId) -> Answer<'a, i64> {
        Box::pin(async move { Ok(self.store.heads(vault).await?.event) })
    }

    fn recorded(&self) -> broadcast::Receiver<VaultId> {
        self.vault.subscribe()
    }
}
