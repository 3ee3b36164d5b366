//! Sessions: start, use, end, purge.

mod end;
mod rows;
mod start;

use auth::{
    Session, SessionId, SessionKind, TokenHash, Username,
    clock::CLOCK_LEEWAY,
    store::{EndReason, StoreResult},
};
use jiff::Timestamp;

pub(crate) use self::{
    end::{
        EndSession, EndSessions, end, end_admin_tokens, end_all, end_all_accounts,
        end_upstream_sessions, revoke_all,
    },
    rows::{COLUMNS, find, read},
    start::{StartSession, start},
};
use crate::{
    Store, connection::Connection, error::DbError, transaction::read_tx as ask, value::params,
};

/// Finds no ended session.
pub(crate) async fn by_cookie(
    db: &mut Connection,
    cookie: &TokenHash,
) -> Result<Option<Session>, DbError> {
    let select =
        format!("SELECT {COLUMNS} FROM sessions WHERE cookie_hash = $1 AND ended_at IS NULL");
    db.find(&select, params![cookie.as_str()])
        .await?
        .map(|mut row| read(&mut row))
        .transpose()
}

pub(crate) async fn touch(
    db: &mut Connection,
    id: &SessionId,
    at: Timestamp,
) -> Result<(), DbError> {
    // A use from further ahead than clocks may differ was recorded before the clock was set back.
    const TOUCH: &str = "UPDATE sessions SET last_seen = $2
        WHERE session_id = $1 AND (last_seen < $2 OR last_seen > $3) AND ended_at IS NULL";
    let ahead = at.checked_add(CLOCK_LEEWAY).unwrap_or(Timestamp::MAX);
    db.execute(TOUCH, params![id.as_str(), at, ahead])
        .await
        .map(drop)
}

pub(crate) async fn persist(db: &mut Connection, id: &SessionId) -> Result<(), DbError> {
    const PERSIST: &str =
        "UPDATE sessions SET persistent = 1 WHERE session_id = $1 AND ended_at IS NULL";
    db.execute(PERSIST, params![id.as_str()]).await.map(drop)
}

/// Why the session of a cookie has ended.
pub(crate) async fn end_reason(
    db: &mut Connection,
    cookie: &TokenHash,
) -> Result<Option<EndReason>, DbError> {
    const FIND: &str =
        "SELECT end_reason FROM sessions WHERE cookie_hash = $1 AND ended_at IS NOT NULL";
    let row = db.find(FIND, params![cookie.as_str()]).await?;
    let reason = row.map(|mut row| row.opt_text()).transpose()?.flatten();
    Ok(reason.and_then(|reason| EndReason::parse(&reason)))
}

/// Live ones, last used first.
pub(crate) async fn of(
    db: &mut Connection,
    username: &Username,
    at: Timestamp,
) -> Result<Vec<Session>, DbError> {
    let select = format!(
        "SELECT {COLUMNS} FROM sessions WHERE username = $1 AND ended_at IS NULL AND expires_at > $2
        ORDER BY last_seen DESC, session_id"
    );
    let rows = db.query(&select, params![username.as_str(), at]).await?;
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

/// Claims the personal tokens whose expiry notice is due, each once.
pub(crate) async fn claim_expiring(
    db: &mut Connection,
    (at, by): &(Timestamp, Timestamp),
) -> Result<Vec<Session>, DbError> {
    let take = format!(
        "UPDATE sessions SET reminded_at = $1 WHERE kind = 'personal' AND ended_at IS NULL AND reminded_at IS NULL
        AND expires_at > $1 AND expires_at <= $2 AND expires_at - auth_time > $3 RETURNING {COLUMNS}"
    );
    let twice = 2 * (by.as_microsecond() - at.as_microsecond());
    let rows = db.query(&take, params![*at, *by, twice]).await?;
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

/// Whether the session belongs to the account and is live.
pub(crate) async fn is_live(
    db: &mut Connection,
    username: &Username,
    id: &SessionId,
    at: Timestamp,
) -> Result<bool, DbError> {
    const LIVES: &str = "SELECT 1 FROM sessions
        WHERE session_id = $1 AND username = $2 AND ended_at IS NULL AND expires_at > $3";
    Ok(db
        .find(LIVES, params![id.as_str(), username.as_str(), at])
        .await?
        .is_some())
}

/// The number of sessions of each kind that have neither ended nor expired.
async fn count_live(
    db: &mut Connection,
    at: &Timestamp,
) -> Result<Vec<(&'static str, u32)>, DbError> {
    const COUNT: &str =
        "SELECT COUNT(*) FROM sessions WHERE kind = $1 AND ended_at IS NULL AND expires_at > $2";
    let mut counted = Vec::new();
    for kind in [SessionKind::Web, SessionKind::OAuth, SessionKind::Personal] {
        let row = db.find(COUNT, params![kind.as_str(), *at]).await?;
        let count = row.map_or(Ok(0), |mut row| row.int())?;
        counted.push((kind.as_str(), u32::try_from(count).unwrap_or(u32::MAX)));
    }
    Ok(counted)
}

impl Store {
    /// The number of sessions of each kind that have neither ended nor expired. Sessions past the
    /// idle timeout still count.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn live_sessions(&self, at: Timestamp) -> StoreResult<Vec<(&'static str, u32)>> {
        ask!(self, at, count_live)
    }
}

/// Deletes a limited number of sessions (and their refresh tokens) that ended before the given
/// time; returns how many.
pub(crate) async fn purge_ended(db: &mut Connection, before: &Timestamp) -> Result<u64, DbError> {
    const ENDED: &str = "SELECT session_id FROM sessions
        WHERE (ended_at IS NOT NULL AND ended_at < $1) OR expires_at < $1 LIMIT 200";
    let ended = db.query(ENDED, params![*before]).await?;
    let mut forgotten = 0;
    for mut row in ended {
        let id = row.text()?;
        forgotten += db
            .execute(
                "DELETE FROM sessions WHERE session_id = $1",
                params![id.as_str()],
            )
            .await?;
        db.execute(
            "DELETE FROM refresh_tokens WHERE session_id = $1",
            params![id],
        )
        .await?;
    }
    Ok(forgotten)
}
