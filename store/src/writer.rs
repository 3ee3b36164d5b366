//! The one thread that writes to SQLite, with group commit: jobs queued during a commit share the
//! next one. Each job has its own savepoint, so that a failed job does not affect the others.

#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};

use crate::{
    TxFn,
    connection::Connection,
    error::{DbError, TxError},
    sqlite::busy,
};

/// Jobs in one commit.
const MAX_BATCH: usize = 256;
/// Queued jobs; beyond 1024, callers wait to enqueue.
const MAX_QUEUED: usize = 1024;
/// Attempts to begin while another process holds the file; each lasts until the busy handler gives
/// up.
const MAX_BEGIN_ATTEMPTS: usize = 3;

/// Stops when dropped, after the queued jobs.
pub(crate) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    pub(crate) fn start(sqlite: rusqlite::Connection) -> Result<Self, DbError> {
        let (queue, jobs) = mpsc::channel(MAX_QUEUED);
        let run = move || work(sqlite, jobs);
        let started = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(run);
        started.map_err(|error| {
            DbError::corrupt(format!("the writer thread did not start: {error}"))
        })?;
        Ok(Self { queue })
    }

    pub(crate) async fn run<A, T, E>(&self, args: A, body: TxFn<A, T, E>) -> Result<T, TxError<E>>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let stopped = || DbError::corrupt("the writer thread has stopped");
        let (reply, answer) = oneshot::channel();
        let task = Task {
            args,
            body,
            done: None,
            reply,
        };
        self.queue
            .send(Box::new(task))
            .await
            .map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

trait Job: Send {
    /// Does the work; true if it should be committed.
    fn run(&mut self, db: &mut Connection) -> bool;
    /// The database error that ended the job.
    fn error(&self) -> Option<&DbError>;
    /// Reports that the job did not run, or was not committed.
    fn fail(&mut self, error: DbError);
    fn answer(self: Box<Self>);
}

struct Task<A, T, E> {
    args: A,
    body: TxFn<A, T, E>,
    done: Option<Result<T, TxError<E>>>,
    reply: oneshot::Sender<Result<T, TxError<E>>>,
}

impl<A, T, E> Job for Task<A, T, E>
where
    A: Send + Sync,
    T: Send,
    E: Send,
{
    fn run(&mut self, db: &mut Connection) -> bool {
        // Unwind safe: the changes of a panicking job are rolled back.
        let worked = catch_unwind(AssertUnwindSafe(|| {
            (self.body)(db, &self.args).now_or_never()
        }));
        let done = match worked {
            Ok(Some(done)) => done,
            Ok(None) => Err(busy().into()),
            Err(_) => Err(DbError::corrupt("a transaction panicked").into()),
        };
        self.done.insert(done).is_ok()
    }

    fn error(&self) -> Option<&DbError> {
        match &self.done {
            Some(Err(TxError::Db(error))) => Some(error),
            _ => None,
        }
    }

    fn fail(&mut self, error: DbError) {
        self.done = Some(Err(error.into()));
    }

    fn answer(self: Box<Self>) {
        // The caller may have disconnected.
        let _ = self.reply.send(
            self.done
                .unwrap_or_else(|| Err(DbError::corrupt("a job did not run").into())),
        );
    }
}

fn work(sqlite: rusqlite::Connection, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
    let mut db = Connection::Sqlite(sqlite);
    while let Some(first) = jobs.blocking_recv() {
        let mut batch = vec![first];
        if let Err(error) = commit_together(&mut db, &mut batch, &mut jobs) {
            rollback(&db);
            tracing::error!(%error, jobs = batch.len(), "batch of writes was not committed");
            // Rejected jobs too: they may have been rejected because of a change that is rolled
            // back now.
            for job in &mut batch {
                job.fail(clone_error(&error));
            }
        }
        batch.into_iter().for_each(Job::answer);
    }
}

fn commit_together(
    db: &mut Connection,
    batch: &mut Vec<Box<dyn Job>>,
    jobs: &mut mpsc::Receiver<Box<dyn Job>>,
) -> Result<(), DbError> {
    begin(db)?;
    let mut next = 0;
    while let Some(job) = batch.get_mut(next) {
        run_in_savepoint(db, &mut **job)?;
        next += 1;
        if next < MAX_BATCH {
            batch.extend(jobs.try_recv().ok());
        }
    }
    metrics::histogram!("strongroom_store_batch_jobs")
        .record(u32::try_from(next).unwrap_or(u32::MAX));
    run_sql(db, "COMMIT")
}

/// The busy handler waits for another process; a longer lock needs another attempt.
fn begin(db: &Connection) -> Result<(), DbError> {
    let mut tries = MAX_BEGIN_ATTEMPTS;
    loop {
        match run_sql(db, "BEGIN IMMEDIATE") {
            Err(DbError::Serialization(_)) if tries > 1 => tries -= 1,
            other => return other,
        }
    }
}

/// Runs a job in a savepoint.
///
/// # Errors
/// The whole transaction is lost: SQLite rolls it back by itself when the disk is full or broken.
fn run_in_savepoint(db: &mut Connection, job: &mut dyn Job) -> Result<(), DbError> {
    run_sql(db, "SAVEPOINT job")?;
    if !job.run(db) {
        if let Some(error) = job.error()
            && is_rolled_back(db)
        {
            return Err(clone_error(error));
        }
        run_sql(db, "ROLLBACK TO job")?;
    }
    run_sql(db, "RELEASE job")
}

/// Whether SQLite has rolled back the whole transaction.
fn is_rolled_back(db: &Connection) -> bool {
    matches!(db, Connection::Sqlite(sqlite) if sqlite.is_autocommit())
}

fn run_sql(db: &Connection, sql: &str) -> Result<(), DbError> {
    let Connection::Sqlite(sqlite) = db else {
        return Err(DbError::corrupt("the writer needs a SQLite connection"));
    };
    sqlite.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn rollback(db: &Connection) {
    if let Connection::Sqlite(sqlite) = db
        && !sqlite.is_autocommit()
        && let Err(error) = run_sql(db, "ROLLBACK")
    {
        tracing::error!(%error, "rollback of a failed batch failed");
    }
}

/// The same error for each job of a batch.
fn clone_error(error: &DbError) -> DbError {
    match error {
        DbError::DiskFull => DbError::DiskFull,
        other => DbError::NotCommitted(other.to_string()),
    }
}
