//! A failure in a batch affects only its own job.

use auth::StoreUnavailable;
use futures_util::future::{BoxFuture, join_all};

use super::*;
use crate::value::params;

/// A writer on a table of unique numbers whose parents must exist at commit time.
fn writer(folder: &tempfile::TempDir) -> (Writer, rusqlite::Connection) {
    let open = || rusqlite::Connection::open(folder.path().join("db")).unwrap();
    let sqlite = open();
    sqlite
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;
            CREATE TABLE parents (n INTEGER PRIMARY KEY); INSERT INTO parents VALUES (0);
            CREATE TABLE texts (text TEXT);
            CREATE TABLE t (n INTEGER PRIMARY KEY,
                parent INTEGER DEFAULT 0 REFERENCES parents DEFERRABLE INITIALLY DEFERRED);",
        )
        .unwrap();
    (Writer::start(sqlite).unwrap(), open())
}

type WriteResult = Result<(), TxError<StoreUnavailable>>;

fn insert<'c>(db: &'c mut Connection, n: &'c i64) -> BoxFuture<'c, WriteResult> {
    Box::pin(async move {
        Ok(db
            .execute("INSERT INTO t (n) VALUES ($1)", params![*n])
            .await
            .map(drop)?)
    })
}

fn insert_orphan<'c>(db: &'c mut Connection, n: &'c i64) -> BoxFuture<'c, WriteResult> {
    Box::pin(async move {
        Ok(db
            .execute("INSERT INTO t (n, parent) VALUES ($1, -1)", params![*n])
            .await
            .map(drop)?)
    })
}

fn insert_and_reject<'c>(db: &'c mut Connection, n: &'c i64) -> BoxFuture<'c, WriteResult> {
    Box::pin(async move {
        db.execute("INSERT INTO t (n) VALUES ($1)", params![*n])
            .await?;
        Err(DbError::corrupt("refused").into())
    })
}

fn insert_and_panic<'c>(db: &'c mut Connection, n: &'c i64) -> BoxFuture<'c, WriteResult> {
    Box::pin(async move {
        db.execute("INSERT INTO t (n) VALUES ($1)", params![*n])
            .await?;
        panic!("on purpose");
    })
}

fn never_finish<'c>(_: &'c mut Connection, _: &'c i64) -> BoxFuture<'c, WriteResult> {
    Box::pin(std::future::pending())
}

/// Needs one more page than the database may have, after a row that still fits.
fn insert_beyond_page_limit<'c>(db: &'c mut Connection, n: &'c i64) -> BoxFuture<'c, WriteResult> {
    Box::pin(async move {
        db.execute("INSERT INTO t (n) VALUES ($1)", params![*n])
            .await?;
        db.query("PRAGMA max_page_count = 1", &[]).await?;
        Ok(db
            .execute("CREATE TABLE more (x TEXT)", &[])
            .await
            .map(drop)?)
    })
}

/// SQLite ends the whole transaction, because this statement has no journal of its own.
fn fill_up<'c>(db: &'c mut Connection, _: &'c i64) -> BoxFuture<'c, WriteResult> {
    Box::pin(async move {
        db.query("PRAGMA max_page_count = 1", &[]).await?;
        let large = "x".repeat(100_000);
        Ok(db
            .execute("INSERT INTO texts (text) VALUES ($1)", params![large])
            .await
            .map(drop)?)
    })
}

fn stored_numbers(reader: &rusqlite::Connection) -> Vec<i64> {
    let mut select = reader.prepare("SELECT n FROM t ORDER BY n").unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn failed_job_does_not_affect_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, reader) = writer(&folder);
    let jobs = (0..60).map(|n| {
        let body: TxFn<i64, (), StoreUnavailable> = match n % 5 {
            0 => insert_and_reject,
            1 => insert_and_panic,
            2 => never_finish,
            _ => insert,
        };
        writer.run(n, body)
    });
    let done = join_all(jobs).await;
    let kept: Vec<i64> = (0..60).filter(|n| n % 5 > 2).collect();
    assert_eq!(
        (0_i64..)
            .zip(&done)
            .filter(|(_, done)| done.is_ok())
            .map(|(n, _)| n)
            .collect::<Vec<_>>(),
        kept
    );
    assert_eq!(stored_numbers(&reader), kept);
}

#[tokio::test]
async fn failed_commit_is_reported_to_its_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, reader) = writer(&folder);
    // Queued together behind a lock that another process holds, so that they form one batch.
    reader.execute_batch("BEGIN IMMEDIATE").unwrap();
    let jobs = [
        writer.run(0, insert as TxFn<_, _, _>),
        writer.run(1, insert),
        writer.run(2, insert_orphan),
    ];
    let unlock = async {
        while writer.queue.capacity() > MAX_QUEUED - 2 {
            tokio::task::yield_now().await;
        }
        reader.execute_batch("ROLLBACK").unwrap();
    };
    let (done, ()) = tokio::join!(join_all(jobs), unlock);
    for done in done {
        assert!(
            matches!(done, Err(TxError::Db(DbError::NotCommitted(_)))),
            "{done:?}"
        );
    }
    assert!(stored_numbers(&reader).is_empty());
    writer.run(3, insert).await.unwrap();
    assert_eq!(stored_numbers(&reader), [3]);
}

#[tokio::test]
async fn full_disk_is_reported_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, reader) = writer(&folder);
    writer.run(1, insert).await.unwrap();
    let full = writer.run(10, insert_beyond_page_limit).await;
    assert!(
        matches!(full, Err(TxError::Db(DbError::DiskFull))),
        "{full:?}"
    );
    assert_eq!(stored_numbers(&reader), [1]);
    writer.run(2, insert).await.unwrap();
    assert_eq!(stored_numbers(&reader), [1, 2]);
}

#[tokio::test]
async fn disk_full_in_one_job_fails_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, reader) = writer(&folder);
    reader.execute_batch("BEGIN IMMEDIATE").unwrap();
    let jobs = [
        writer.run(0, insert as TxFn<_, _, _>),
        writer.run(1, fill_up),
    ];
    let unlock = async {
        while writer.queue.capacity() > MAX_QUEUED - 1 {
            tokio::task::yield_now().await;
        }
        reader.execute_batch("ROLLBACK").unwrap();
    };
    let (done, ()) = tokio::join!(join_all(jobs), unlock);
    for done in done {
        assert!(
            matches!(done, Err(TxError::Db(DbError::DiskFull))),
            "{done:?}"
        );
    }
    assert!(stored_numbers(&reader).is_empty());
    writer.run(2, insert).await.unwrap();
    assert_eq!(stored_numbers(&reader), [2]);
}
