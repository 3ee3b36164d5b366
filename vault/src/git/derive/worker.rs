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

use super::Shared;
use crate::{
    Realm, Revision, VaultStore,
    git::{
        GitError,
        durable::{self, Batch},
        history::{CommitReplay, ObjectSink},
        repository::{OnExisting, Repository, Written, path_of},
    },
    store::DerivedCommit,
};

/// Changes per move of the branch, at most.
const PAGE: u32 = 500;
/// After 4 full pages it is a rebuild, and responses no longer wait.
const REBUILD_PAGES: u32 = 4;
/// The pause between attempts without a new request.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// A caller that waits for `change`.
pub(super) struct Request {
    pub(super) change: i64,
    pub(super) done: oneshot::Sender<()>,
}

pub(super) struct Worker<S> {
    store: S,
    repositories: Arc<Path>,
    runtime: Handle,
    vault: Realm,
    inbox: Receiver<Request>,
    waiting: Vec<Request>,
    durable: Sender<durable::Message>,
    last_error: LastError,
}

/// The result of the last attempt.
enum LastError {
    None,
    /// Logged once; logged again only after a success.
    Logged,
    /// The repository cannot be read: the next attempt starts at the first change and rewrites
    /// every object.
    Damaged,
}

/// Whether more requests can arrive.
#[derive(PartialEq, Eq)]
enum InboxState {
    Open,
    Closed,
}

impl<S: VaultStore> Worker<S> {
    pub(super) fn new(
        shared: &Shared<S>,
        vault: &Realm,
        inbox: Receiver<Request>,
        durable: Sender<durable::Message>,
    ) -> Self {
        Self {
            store: shared.store.clone(),
            repositories: shared.repositories.clone(),
            runtime: shared.runtime.clone(),
            vault: vault.clone(),
            inbox,
            waiting: Vec::new(),
            durable,
            last_error: LastError::None,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            match self.run_once() {
                Ok(()) => return,
                Err(error) => self.on_error(&error),
            }
            self.notify_waiters();
            match self.inbox.recv_timeout(RETRY_INTERVAL) {
                Ok(order) => self.waiting.push(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn on_error(&mut self, error: &GitError) {
        if matches!(self.last_error, LastError::None) {
            tracing::error!(vault = %self.vault.name, %error, "cannot derive git; retrying");
        }
        self.last_error = match error {
            GitError::Damaged(_) => LastError::Damaged,
            _ => LastError::Logged,
        };
    }

    /// Opens the repository, continues at the last record, and derives until an error or the end.
    fn run_once(&mut self) -> Result<(), GitError> {
        let repository = Repository::open_or_init(&self.repositories, &self.vault)?;
        // An earlier process may have derived these without making them durable.
        let doubtful = self
            .runtime
            .block_on(self.store.heads(&self.vault.id))?
            .change;
        let mut history = self.resume(&repository)?;
        if let Some(tip) = history.tip() {
            repository.set_branch_tip(tip)?;
        }
        self.catch_up(&repository, &mut history, doubtful)?;
        self.last_error = LastError::None;
        loop {
            self.notify_waiters();
            let inbox = self.drain_requests();
            if self
                .waiting
                .iter()
                .any(|order| order.change > history.change)
            {
                self.catch_up(&repository, &mut history, doubtful)?;
            }
            if inbox == InboxState::Closed {
                self.notify_waiters();
                return Ok(());
            }
        }
    }

    fn resume<'r>(&self, repository: &'r Repository) -> Result<CommitReplay<'r>, GitError> {
        if matches!(self.last_error, LastError::Damaged) {
            return Ok(CommitReplay::empty(repository));
        }
        let recorded = self.runtime.block_on(self.store.derived(&self.vault.id))?;
        let Some(recorded) = recorded.filter(|recorded| recorded.change > 0) else {
            return Ok(CommitReplay::empty(repository));
        };
        let found = repository
            .commit(&recorded.sha)
            .map(|tip| CommitReplay::after(tip, recorded.change, repository));
        if let Some(Ok(history)) = found {
            return Ok(history);
        }
        tracing::warn!(vault = %self.vault.name, change = recorded.change, "rebuilding git from the first change");
        Ok(CommitReplay::empty(repository))
    }

    /// Waits for a request and takes all that are queued.
    fn drain_requests(&mut self) -> InboxState {
        match self.inbox.recv() {
            Ok(order) => self.waiting.push(order),
            Err(_) => return InboxState::Closed,
        }
        self.waiting.extend(self.inbox.try_iter());
        InboxState::Open
    }

    fn catch_up(
        &mut self,
        repository: &Repository,
        history: &mut CommitReplay,
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
            if page >= REBUILD_PAGES {
                self.waiting.extend(self.inbox.try_iter());
                self.notify_waiters();
            }
        }
        Ok(())
    }

    /// Creates the commits of `rows` and moves the branch once. On an error the branch stays.
    fn derive(
        &self,
        repository: &Repository,
        history: &mut CommitReplay,
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
                OnExisting::Rewrite
            } else {
                OnExisting::Trusted
            };
            let commit = history.append(
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
            repository.set_branch_tip(tip)?;
        }
        metrics::counter!("strongroom_git_commits_total").increment(rows.len() as u64);
        // If the syncer has stopped, the next start derives it again.
        let _ = self
            .durable
            .send(durable::Message::Sync(self.vault.id.clone(), batch));
        Ok(())
    }

    fn notify_waiters(&mut self) {
        for order in self.waiting.drain(..) {
            // The caller may have timed out.
            let _ = order.done.send(());
        }
    }
}

struct Writer<'a> {
    repository: &'a Repository,
    existing: OnExisting,
    new: &'a mut Vec<ObjectId>,
}

impl ObjectSink for Writer<'_> {
    fn put(&mut self, kind: Kind, bytes: &[u8]) -> Result<ObjectId, GitError> {
        let id = match self.repository.write(kind, bytes, self.existing)? {
            Written::Created(id) => {
                self.new.push(id);
                id
            }
            Written::Existed(id) => id,
        };
        if kind == Kind::Tree {
            self.repository.cache_tree(id, bytes);
        }
        Ok(id)
    }
}
