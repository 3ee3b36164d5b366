//! A thread for each vault. It turns changes into commits, in batches under load, before the
//! requests are answered.
//!
//! Correctness does not depend on it: a change without its commit is answered all the same and
//! derived later.

#[cfg(test)]
mod tests;
mod worker;

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{runtime::Handle, sync::oneshot};
use worker::{Request, Worker};

use super::durable;
use crate::{Realm, VaultError, VaultId, VaultStore};

/// After 10 s a change is answered without its commit.
const DERIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Turns changes into commits. Cheap to clone. The threads end with the last clone, or with
/// [`close`](Self::close), which also records the durable state.
pub(crate) struct Deriver<S>(Arc<Shared<S>>);

struct Shared<S> {
    store: S,
    repositories: Arc<Path>,
    runtime: Handle,
    threads: Mutex<Threads>,
}

/// `durable` is `None` once closed.
struct Threads {
    vaults: HashMap<VaultId, (Sender<Request>, JoinHandle<()>)>,
    durable: Option<(Sender<durable::Message>, JoinHandle<()>)>,
}

impl<S: VaultStore> Deriver<S> {
    /// Must be called within the runtime that serves `store`.
    pub(crate) fn start(store: S, repositories: PathBuf) -> Result<Self, VaultError> {
        let runtime = Handle::current();
        let durable = durable::start(store.clone(), runtime.clone()).map_err(VaultError::Io)?;
        let threads = Mutex::new(Threads {
            vaults: HashMap::new(),
            durable: Some(durable),
        });
        Ok(Self(Arc::new(Shared {
            store,
            repositories: repositories.into(),
            runtime,
            threads,
        })))
    }

    /// Starts deriving a vault from its last recorded state, without waiting.
    pub(crate) fn begin(&self, vault: &Realm) {
        drop(self.request(vault, 0));
    }

    /// Returns when git contains the vault's changes up to `change`, or cannot contain them now.
    /// With 0: when the repository exists.
    pub(crate) async fn derived(&self, vault: &Realm, change: i64) {
        let Some(done) = self.request(vault, change) else {
            return;
        };
        if tokio::time::timeout(DERIVE_TIMEOUT, done).await.is_err() {
            tracing::warn!(vault = %vault.name, change, "change answered before its git commit");
        }
    }

    fn request(&self, vault: &Realm, change: i64) -> Option<oneshot::Receiver<()>> {
        let (done, answer) = oneshot::channel();
        let mut threads = self.threads();
        let durable = threads.durable.as_ref()?.0.clone();
        let mut order = Request { change, done };
        if let Some((orders, _)) = threads.vaults.get(&vault.id) {
            match orders.send(order) {
                Ok(()) => return Some(answer),
                // Its thread has died unexpectedly: start another one.
                Err(unsent) => order = unsent.0,
            }
        }
        let (orders, inbox) = channel();
        let worker = Worker::new(&self.0, vault, inbox, durable);
        let name = format!("git-{}", vault.name);
        let thread = thread::Builder::new()
            .name(name)
            .spawn(move || worker.run());
        let thread = thread
            .inspect_err(|error| tracing::error!(%error, "cannot start a thread to derive git"))
            .ok()?;
        orders.send(order).ok()?;
        threads.vaults.insert(vault.id.clone(), (orders, thread));
        Some(answer)
    }

    /// Derives all pending requests, makes them durable, records them, and ends the threads.
    pub(crate) async fn close(&self) {
        let (vaults, durable) = {
            let mut threads = self.threads();
            (std::mem::take(&mut threads.vaults), threads.durable.take())
        };
        let ended = tokio::task::spawn_blocking(move || {
            let threads: Vec<_> = vaults.into_values().map(|(_, thread)| thread).collect();
            let mut ended = threads.into_iter().all(|thread| thread.join().is_ok());
            if let Some((orders, thread)) = durable {
                ended &= orders.send(durable::Message::Close).is_ok() && thread.join().is_ok();
            }
            ended
        });
        if !ended.await.unwrap_or(false) {
            tracing::error!("git derivation did not stop cleanly; the next start checks it");
        }
    }

    fn threads(&self) -> MutexGuard<'_, Threads> {
        self.0
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Clone for Deriver<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> fmt::Debug for Deriver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deriver")
            .field("repositories", &self.0.repositories)
            .finish_non_exhaustive()
    }
}
