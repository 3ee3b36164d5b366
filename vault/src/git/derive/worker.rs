//! The thread of one vault.

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use gix::{ObjectId, objs::Kind};
use tokio::{runtime::Handle, sync::oneshot};

use super::{
    super::{
        GitError,
        durable::{self, Batch},
        history::{History, Put},
        repository::{Existing, Repository, Written, path_of},
    },
    Shared,
};
use crate::{Realm, Revision, VaultStore, store::DerivedCommit};

/// Changes derived between two moves of the branch, at most.
const PAGE: u32 = 500;
/// After so many full pages answers wait no longer: this is a rebuild.
const LONG: u32 = 4;
/// Between two attempts, where nobody asks in between.
const RETRY: Duration = Duration::from_secs(5);

/// Somebody waits for `change`.
pub(super) struct Order {
    pub(super) change: i64,
    pub(super) done: oneshot::Sender<()>,
}

pub(super) struct Worker<S> {
    store: S,
    repositories: Arc<Path>,
    runtime: Handle,
    vault: Realm,
    inbox: Receiver<Order>,
    waiting: Vec<Order>,
    durable: Sender<durable::Order>,
    trouble: Trouble,
}

/// What the last attempt came to.
enum Trouble {
    None,
    /// It was said once; not again until it is over.
    Said,
    /// What is there cannot be read: the next attempt begins at the first change and writes every object anew.
    Damaged,
}

/// Whether there may be more orders.
#[derive(PartialEq, Eq)]
enum Inbox {
    Open,
    Closed,
}

impl<S: VaultStore> Worker<S> {
    pub(super) fn new(
        shared: &Shared<S>,
        vault: &Realm,
        inbox: Receiver<Order>,
        durable: Sender<durable::Order>,
    ) -> Self {
        Self {
            store: shared.store.clone(),
            repositories: shared.repositories.clone(),
            runtime: shared.runtime.clone(),
            vault: vault.clone(),
            inbox,
            waiting: Vec::new(),
            durable,
            trouble: Trouble::None,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            match self.lap() {
                Ok(()) => return,
                Err(error) => self.stumbled(&error),
            }
            self.answer_all();
            match self.inbox.recv_timeout(RETRY) {
                Ok(order) => self.waiting.push(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn stumbled(&mut self, error: &GitError) {
        if matches!(self.trouble, Trouble::None) {
            tracing::error!(vault = %self.vault.name, %error, "git cannot be derived now; trying again");
        }
        self.trouble = match error {
            GitError::Damaged(_) => Trouble::Damaged,
            _ => Trouble::Said,
        };
    }

    /// Opens the repository, goes on where the last record stands, and derives until an error or the end.
    fn lap(&mut self) -> Result<(), GitError> {
        let repository = Repository::open_or_make(&self.repositories, &self.vault)?;
        // Up to here another run of the program may have derived without making it durable.
        let doubtful = self
            .runtime
            .block_on(self.store.heads(&self.vault.id))?
            .change;
        let mut history = self.resume(&repository)?;
        if let Some(tip) = history.tip() {
            repository.set_main(tip)?;
        }
        self.catch_up(&repository, &mut history, doubtful)?;
        self.trouble = Trouble::None;
        loop {
            self.answer_all();
            let inbox = self.gather();
            if self
                .waiting
                .iter()
                .any(|order| order.change > history.change)
            {
                self.catch_up(&repository, &mut history, doubtful)?;
            }
            if inbox == Inbox::Closed {
                self.answer_all();
                return Ok(());
            }
        }
    }

    fn resume<'r>(&self, repository: &'r Repository) -> Result<History<'r>, GitError> {
        if matches!(self.trouble, Trouble::Damaged) {
            return Ok(History::empty(repository));
        }
        let recorded = self.runtime.block_on(self.store.derived(&self.vault.id))?;
        let Some(recorded) = recorded.filter(|recorded| recorded.change > 0) else {
            return Ok(History::empty(repository));
        };
        let found = repository
            .commit(&recorded.sha)
            .map(|tip| History::after(tip, recorded.change, repository));
        if let Some(Ok(history)) = found {
            return Ok(history);
        }
        tracing::warn!(vault = %self.vault.name, change = recorded.change, "git is rebuilt from the first change");
        Ok(History::empty(repository))
    }

    /// Waits for an order and takes all that are there.
    fn gather(&mut self) -> Inbox {
        match self.inbox.recv() {
            Ok(order) => self.waiting.push(order),
            Err(_) => return Inbox::Closed,
        }
        self.waiting.extend(self.inbox.try_iter());
        Inbox::Open
    }

    fn catch_up(
        &mut self,
        repository: &Repository,
        history: &mut History,
        doubtful: i64,
    ) -> Result<(), GitError> {
        for page in 1u32.. {
            let rows =
                self.runtime
                    .block_on(self.store.changes(&self.vault.id, history.change, PAGE))?;
            if rows.is_empty() {
                break;
            }
            let began = Instant::now();
            let derived = self.derive(repository, history, &rows, doubtful);
            metrics::histogram!("strongroom_git_derive_seconds").record(began.elapsed());
            derived?;
            if rows.len() < PAGE as usize {
                break;
            }
            if page >= LONG {
                self.waiting.extend(self.inbox.try_iter());
                self.answer_all();
            }
        }
        Ok(())
    }

    /// Commits for `rows`, and one move of the branch. Of an error in the middle nothing is seen.
    fn derive(
        &self,
        repository: &Repository,
        history: &mut History,
        rows: &[Revision],
        doubtful: i64,
    ) -> Result<(), GitError> {
        let path = path_of(&self.repositories, &self.vault.name);
        let mut batch = Batch {
            repository: path,
            ..Batch::default()
        };
        for row in rows {
            let existing = if row.change <= doubtful {
                Existing::Rewritten
            } else {
                Existing::Trusted
            };
            let commit = history.record(
                row,
                &mut Writer {
                    repository,
                    existing,
                    new: &mut batch.objects,
                },
            )?;
            batch.commits.push(DerivedCommit {
                change: row.change,
                sha: commit.to_string(),
            });
        }
        if let Some(tip) = history.tip() {
            repository.set_main(tip)?;
        }
        metrics::counter!("strongroom_git_commits_total").increment(rows.len() as u64);
        // Nobody there to keep it only means that the next start derives it again.
        let _ = self
            .durable
            .send(durable::Order::Keep(self.vault.id.clone(), batch));
        Ok(())
    }

    fn answer_all(&mut self) {
        for order in self.waiting.drain(..) {
            // Whoever gave up waiting does not hear it.
            let _ = order.done.send(());
        }
    }
}

struct Writer<'a> {
    repository: &'a Repository,
    existing: Existing,
    new: &'a mut Vec<ObjectId>,
}

impl Put for Writer<'_> {
    fn put(&mut self, kind: Kind, bytes: &[u8]) -> Result<ObjectId, GitError> {
        let id = match self.repository.write(kind, bytes, self.existing)? {
            Written::Now(id) => {
                self.new.push(id);
                id
            }
            Written::Already(id) => id,
        };
        if kind == Kind::Tree {
            self.repository.keep(id, bytes);
        }
        Ok(id)
    }
}
