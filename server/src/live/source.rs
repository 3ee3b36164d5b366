//! The source of a vault's events.

use auth::{StoreUnavailable, Username};
use futures_util::future::BoxFuture;
use tokio::sync::broadcast;
use vault::{BlobStore, Event, Vault, VaultId, VaultStore};

type SourceFuture<'a, T> = BoxFuture<'a, Result<T, StoreUnavailable>>;

/// The event log for followers. Ids of one vault become visible in order.
pub trait EventSource: Send + Sync + 'static {
    /// Events with a greater id, oldest first, at most `limit`.
    fn events<'a>(
        &'a self,
        vault: &'a VaultId,
        since: i64,
        limit: u32,
    ) -> SourceFuture<'a, Vec<Event>>;
    /// The id of the newest event, or 0 without events.
    fn head<'a>(&'a self, vault: &'a VaultId) -> SourceFuture<'a, i64>;
    /// A hint that this process recorded an event. Only latency depends on it.
    fn recorded(&self) -> broadcast::Receiver<VaultId>;
    /// The users whose locks are broken in this process.
    fn overridden(&self) -> broadcast::Receiver<Username>;
}

/// The event log of the store, with the hints of the vault service.
#[derive(Debug)]
pub struct VaultEvents<S, B> {
    pub store: S,
    pub vault: Vault<S, B>,
}

impl<S: VaultStore, B: BlobStore> EventSource for VaultEvents<S, B> {
    fn events<'a>(
        &'a self,
        vault: &'a VaultId,
        since: i64,
        limit: u32,
    ) -> SourceFuture<'a, Vec<Event>> {
        Box::pin(self.store.events(vault, since, limit))
    }

    fn head<'a>(&'a self, vault: &'a VaultId) -> SourceFuture<'a, i64> {
        Box::pin(async move { Ok(self.store.heads(vault).await?.event) })
    }

    fn recorded(&self) -> broadcast::Receiver<VaultId> {
        self.vault.subscribe()
    }

    fn overridden(&self) -> broadcast::Receiver<Username> {
        self.vault.subscribe_overridden()
    }
}
