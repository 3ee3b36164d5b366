//! The account-event log: names to be read anew, numbered without gaps in the order of commits.

use auth::{Username, store::AccountEvent};
use jiff::Timestamp;

use crate::{connection::Connection, error::DbError, value::params};

const PAGE: u32 = 1_000;

/// Comes late in a transaction, just before the audit: it holds the counter until the commit.
pub(crate) async fn append(db: &mut Connection, username: &Username) -> Result<(), DbError> {
    const NEXT: &str =
        "UPDATE counters SET value = value + 1 WHERE name = 'account_events' RETURNING value";
    let next = db.find(NEXT, &[]).await?;
    let n = next
        .ok_or_else(|| DbError::corrupt("the counter of account events is gone"))?
        .int()?;
    let insert = "INSERT INTO account_events (n, username) VALUES ($1, $2)";
    db.execute(insert, params![n, username.as_str()])
        .await
        .map(drop)
}

/// Everybody who has a session that ended at this moment or goes on, in one statement however many they are.
pub(crate) async fn append_for_ended(db: &mut Connection, at: Timestamp) -> Result<(), DbError> {
    const ANNOUNCE: &str = "INSERT INTO account_events (n, username)
        SELECT c.value + ROW_NUMBER() OVER (ORDER BY s.username), s.username FROM counters c
        JOIN (SELECT DISTINCT username FROM sessions WHERE ended_at = $1 OR ended_at IS NULL) s ON c.name = 'account_events'";
    const ADVANCE: &str = "UPDATE counters SET value = value + $1 WHERE name = 'account_events'";
    lock_administrators(db).await?;
    let announced = db.execute(ANNOUNCE, params![at]).await?;
    let announced = i64::try_from(announced)
        .map_err(|_| DbError::corrupt("more events than can be counted"))?;
    db.execute(ADVANCE, params![announced]).await.map(drop)
}

/// Keeps everybody else from changing who is an administrator until the commit.
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
