//! The account-event log: names of accounts that caches must reload. Numbers follow the order of
//! commits, without gaps.

use auth::{Username, store::AccountEvent};
use jiff::Timestamp;

use crate::{connection::Connection, error::DbError, value::params};

const PAGE: u32 = 1_000;

/// Called late in a transaction, just before the audit entry: the counter stays locked until the
/// commit.
pub(crate) async fn append(db: &mut Connection, username: &Username) -> Result<(), DbError> {
    const NEXT: &str =
        "UPDATE counters SET value = value + 1 WHERE name = 'account_events' RETURNING value";
    let next = db.find(NEXT, &[]).await?;
    let n = next
        .ok_or_else(|| DbError::corrupt("the counter of account events is missing"))?
        .int()?;
    let insert = "INSERT INTO account_events (n, username) VALUES ($1, $2)";
    db.execute(insert, params![n, username.as_str()])
        .await
        .map(drop)
}

/// Appends each account that has a live session or one that ended at `at`, in one statement for any
/// number of accounts.
pub(crate) async fn append_for_ended(db: &mut Connection, at: Timestamp) -> Result<(), DbError> {
    const ANNOUNCE: &str = "INSERT INTO account_events (n, username)
        SELECT c.value + ROW_NUMBER() OVER (ORDER BY s.username), s.username FROM counters c
        JOIN (SELECT DISTINCT username FROM sessions WHERE ended_at = $1 OR ended_at IS NULL) s ON c.name = 'account_events'";
    const ADVANCE: &str = "UPDATE counters SET value = value + $1 WHERE name = 'account_events'";
    lock_administrators(db).await?;
    let announced = db.execute(ANNOUNCE, params![at]).await?;
    let announced = i64::try_from(announced)
        .map_err(|_| DbError::corrupt("the number of events overflows i64"))?;
    db.execute(ADVANCE, params![announced]).await.map(drop)
}

/// Locks the set of administrators until the commit.
pub(crate) async fn lock_administrators(db: &mut Connection) -> Result<(), DbError> {
    db.find(
        "SELECT value FROM counters WHERE name = 'account_events' FOR UPDATE",
        &[],
    )
    .await
    .map(drop)
}

pub(crate) async fn after(db: &mut Connection, n: i64) -> Result<Vec<AccountEvent>, DbError> {
    let select = "SELECT n, username FROM account_events WHERE n > $1 ORDER BY n LIMIT $2";
    let rows = db.query(select, params![n, PAGE]).await?;
    let read = |mut row: crate::value::Row| {
        Ok(AccountEvent {
            seq: row.int()?,
            username: super::accounts::username(&row.text()?)?,
        })
    };
    rows.into_iter().map(read).collect()
}

pub(crate) async fn last(db: &mut Connection) -> Result<i64, DbError> {
    let last = db
        .find(
            "SELECT value FROM counters WHERE name = 'account_events'",
            &[],
        )
        .await?;
    last.map_or(Ok(0), |mut row| row.int())
}
