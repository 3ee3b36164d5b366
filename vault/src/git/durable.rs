//! Makes derived commits durable, once a second and after the responses. Only then are they
//! recorded as derived.
//!
//! No change depends on it: after a power failure, unrecorded changes are derived again.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use gix::ObjectId;
use tokio::runtime::Handle;

use crate::{VaultId, VaultStore, store::DerivedCommit};

const SYNC_INTERVAL: Duration = Duration::from_secs(1);
/// From this number of new files on, one sync of the file system is cheaper than one a file. Linux
/// only.
const SYNCFS_THRESHOLD: usize = if cfg!(target_os = "linux") {
    64
} else {
    usize::MAX
};

/// Written objects of one vault, and the commits that they form.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) repository: PathBuf,
    pub(crate) objects: Vec<ObjectId>,
    pub(crate) commits: Vec<DerivedCommit>,
}

pub(crate) enum Message {
    Sync(VaultId, Batch),
    /// The last message: makes everything durable and records it.
    Close,
}

/// Starts the thread. It ends after [`Message::Close`], or when all senders are dropped.
pub(crate) fn start(
    store: impl VaultStore,
    runtime: Handle,
) -> io::Result<(Sender<Message>, JoinHandle<()>)> {
    let (sender, orders) = channel();
    let syncer = Syncer {
        store,
        runtime,
        waiting: HashMap::new(),
        lost: HashSet::new(),
    };
    let thread = thread::Builder::new()
        .name("git-durable".into())
        .spawn(move || syncer.run(&orders))?;
    Ok((sender, thread))
}

struct Syncer<S> {
    store: S,
    runtime: Handle,
    waiting: HashMap<VaultId, Batch>,
    /// Vaults whose sync failed. Their state on disk is unknown, so nothing of them is recorded
    /// until the next start, which derives again from the last record.
    lost: HashSet<VaultId>,
}

impl<S: VaultStore> Syncer<S> {
    fn run(mut self, orders: &Receiver<Message>) {
        let mut due = None;
        loop {
            let next = match due {
                None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => {
                    orders.recv_timeout(Instant::saturating_duration_since(&due, Instant::now()))
                }
            };
            match next {
                Ok(Message::Sync(vault, batch)) => {
                    self.enqueue(vault, batch);
                    due.get_or_insert_with(|| Instant::now() + SYNC_INTERVAL);
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.flush();
                    due = (!self.waiting.is_empty()).then(|| Instant::now() + SYNC_INTERVAL);
                }
                Ok(Message::Close) => return self.flush(),
                // Dropped without close, so the store's runtime may have ended: sync only.
                Err(RecvTimeoutError::Disconnected) => {
                    for batch in self.waiting.values() {
                        let _ = sync(batch);
                    }
                    return;
                }
            }
        }
    }

    fn enqueue(&mut self, vault: VaultId, batch: Batch) {
        if self.lost.contains(&vault) {
            return;
        }
        let waiting = self.waiting.entry(vault).or_default();
        waiting.repository = batch.repository;
        waiting.objects.extend(batch.objects);
        waiting.commits.extend(batch.commits);
    }

    fn flush(&mut self) {
        for (vault, mut batch) in std::mem::take(&mut self.waiting) {
            if let Err(error) = sync(&batch) {
                tracing::error!(%error, repository = %batch.repository.display(), "git sync failed; not durable until the next start");
                self.lost.insert(vault);
                continue;
            }
            batch.objects.clear();
            let recorded = self
                .runtime
                .block_on(self.store.record_derived(&vault, batch.commits.clone()));
            if let Err(error) = recorded {
                tracing::warn!(%error, "cannot record derived commits yet");
                self.waiting.insert(vault, batch);
            }
        }
    }
}

fn sync(batch: &Batch) -> io::Result<()> {
    if batch.objects.len() > SYNCFS_THRESHOLD {
        return sync_file_system(&batch.repository);
    }
    let objects = batch.repository.join("objects");
    let mut folders = BTreeSet::from([objects.clone(), batch.repository.join("refs/heads")]);
    for id in &batch.objects {
        let hex = id.to_string();
        let folder = objects.join(&hex[..2]);
        sync_one(&folder.join(&hex[2..]))?;
        folders.insert(folder);
    }
    sync_one(&batch.repository.join("refs/heads/main"))?;
    if cfg!(unix) {
        folders.iter().try_for_each(|folder| sync_one(folder))
    } else {
        Ok(())
    }
}

/// A missing file was packed by `git gc`, which syncs its packs.
fn sync_one(path: &Path) -> io::Result<()> {
    match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        file => file?.sync_all(),
    }
}

#[cfg(target_os = "linux")]
fn sync_file_system(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(fs::File::open(path)?)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
