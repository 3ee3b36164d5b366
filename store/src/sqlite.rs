//! SQLite: one file, one writer thread, and read-only connections.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use auth::{Clock, StoreUnavailable};
use futures_util::FutureExt as _;
use tokio::sync::Semaphore;

use crate::{
    TxFn,
    connection::Connection,
    error::{DbError, TxError},
    migrate::{Migrations, VersionMismatch, check_version, is_current, migrate},
    read_only::{ReadOnlyError, Source},
    writer::Writer,
};

/// The interval for waiting on another process that writes the same file, such as `strongroom user
/// add`. Short, because a busy writer releases the lock only for a moment.
const BUSY_POLL_INTERVAL: Duration = Duration::from_millis(1);
const MAX_BUSY_POLLS: i32 = 10_000;
/// Prepared statements per connection: more than this crate has.
const STATEMENT_CACHE_CAPACITY: usize = 256;
const MIN_READERS: usize = 4;

pub(crate) struct Sqlite {
    path: PathBuf,
    /// `None` for a file that cannot be written.
    writer: Option<Writer>,
    readers: Arc<Readers>,
}

impl Sqlite {
    pub(crate) fn open(
        path: &Path,
        migrations: Migrations,
        clock: &Clock,
    ) -> Result<Self, TxError<VersionMismatch>> {
        let sqlite = open_for_writing(path)?;
        let sqlite = open_migrated(sqlite, migrations, clock)?;
        let readers = Readers::open(Source::Shared(path.to_owned()))?;
        let writer = Writer::start(sqlite)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Some(writer),
            readers: Arc::new(readers),
        })
    }

    /// Opens a file that this process may not write, and changes nothing beside it.
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, ReadOnlyError> {
        let source = Source::find(path)?;
        source.probe()?;
        let mut db = Connection::Sqlite(open_for_reading(&source)?);
        check_version(&mut db).now_or_never().ok_or_else(busy)??;
        Ok(Self {
            path: path.to_owned(),
            writer: None,
            readers: Arc::new(Readers::open(source)?),
        })
    }

    /// Moves the journal into the database file, as far as no reader is active.
    pub(crate) async fn checkpoint(&self) -> Result<(), DbError> {
        let path = self.path.clone();
        let tidied = tokio::task::spawn_blocking(move || {
            let sqlite = open_for_writing(&path)?;
            sqlite.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(())
        });
        tidied
            .await
            .map_err(|error| DbError::corrupt(format!("checkpoint failed: {error}")))?
    }

    pub(crate) async fn write<A, T, E>(&self, args: A, body: TxFn<A, T, E>) -> Result<T, TxError<E>>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        match &self.writer {
            Some(writer) => writer.run(args, body).await,
            None => Err(DbError::ReadOnly.into()),
        }
    }

    pub(crate) async fn read<A, T>(
        &self,
        args: A,
        body: TxFn<A, T, StoreUnavailable>,
    ) -> Result<T, TxError<StoreUnavailable>>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        let turn = Arc::clone(&readers.turns).acquire_owned().await;
        let turn = turn.map_err(|_| DbError::corrupt("the store is closed"))?;
        let done = tokio::task::spawn_blocking(move || {
            // Moved into the read, because the caller may disconnect.
            let _turn = turn;
            readers.read(&args, body)
        });
        done.await
            .map_err(|error| DbError::corrupt(format!("a read was interrupted: {error}")))?
    }
}

fn open_for_writing(path: &Path) -> Result<rusqlite::Connection, DbError> {
    restrict_permissions(path)?;
    let mut sqlite = rusqlite::Connection::open(path)?;
    // First, because the switch to WAL can conflict with another process.
    sqlite.busy_handler(Some(busy_handler))?;
    sqlite.pragma_update(None, "journal_mode", "WAL")?;
    sqlite.pragma_update(None, "synchronous", "FULL")?;
    sqlite.pragma_update(None, "foreign_keys", "ON")?;
    // Keeps savepoint data in memory instead of a temporary file: the commit discards it anyway.
    sqlite.pragma_update(None, "temp_store", "MEMORY")?;
    sqlite.set_prepared_statement_cache_capacity(STATEMENT_CACHE_CAPACITY);
    Ok(sqlite)
}

fn busy_handler(looks: i32) -> bool {
    std::thread::sleep(BUSY_POLL_INTERVAL);
    looks < MAX_BUSY_POLLS
}

/// Makes the file readable by its owner only; SQLite gives its journal files the same mode.
fn restrict_permissions(path: &Path) -> Result<(), DbError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| DbError::corrupt(error.to_string()))
}

fn open_migrated(
    sqlite: rusqlite::Connection,
    migrations: Migrations,
    clock: &Clock,
) -> Result<rusqlite::Connection, TxError<VersionMismatch>> {
    let mut db = Connection::Sqlite(sqlite);
    if !is_current(&mut db).now_or_never().ok_or_else(busy)?? {
        match migrations {
            Migrations::Apply => apply_migrations(&mut db, clock)?,
            Migrations::Expect => check_version(&mut db).now_or_never().ok_or_else(busy)??,
        }
    }
    let Connection::Sqlite(sqlite) = db else {
        return Err(busy().into());
    };
    Ok(sqlite)
}

fn apply_migrations(db: &mut Connection, clock: &Clock) -> Result<(), TxError<VersionMismatch>> {
    let step = |db: &mut Connection, sql: &str| {
        db.run_script(sql)
            .now_or_never()
            .unwrap_or_else(|| Err(busy()))
    };
    step(db, "BEGIN IMMEDIATE")?;
    // On failure the connection is dropped, which rolls back.
    migrate(db, clock).now_or_never().ok_or_else(busy)??;
    Ok(step(db, "COMMIT")?)
}

pub(crate) fn busy() -> DbError {
    DbError::corrupt("a SQLite statement did not complete at once")
}

/// A pool of read-only connections.
struct Readers {
    source: Source,
    idle: Mutex<Vec<rusqlite::Connection>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    fn open(source: Source) -> Result<Self, DbError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = cores.max(MIN_READERS);
        let idle = vec![open_for_reading(&source)?];
        Ok(Self {
            source,
            idle: Mutex::new(idle),
            turns: Arc::new(Semaphore::new(count)),
        })
    }

    fn read<A, T>(
        &self,
        args: &A,
        body: TxFn<A, T, StoreUnavailable>,
    ) -> Result<T, TxError<StoreUnavailable>> {
        let lent = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        // Opened on first use. A connection whose read panicked is not returned.
        let sqlite = lent.map_or_else(|| open_for_reading(&self.source), Ok)?;
        let mut db = Connection::Sqlite(sqlite);
        let done = body(&mut db, args)
            .now_or_never()
            .unwrap_or_else(|| Err(busy().into()));
        if let Connection::Sqlite(sqlite) = db {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(sqlite);
        }
        done
    }
}

fn open_for_reading(source: &Source) -> Result<rusqlite::Connection, DbError> {
    let mut sqlite = source.connect()?;
    sqlite.busy_handler(Some(busy_handler))?;
    sqlite.set_prepared_statement_cache_capacity(STATEMENT_CACHE_CAPACITY);
    Ok(sqlite)
}
