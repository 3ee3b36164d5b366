//! Refresh tokens: each works once. A second use is accepted for a short grace period while its
//! successor is unused, because the response may have been lost. Later it means that the token was
//! copied. The replaced successor is recorded as used: a client that lost it never presents it, so
//! its use reveals a copy.

use auth::{
    Actor, Session, SessionId, TokenHash,
    clock::CLOCK_LEEWAY,
    store::{EndReason, RefreshRotation, RefreshState, Rotation, SessionEnd},
};
use jiff::Timestamp;

use crate::{
    connection::Connection,
    error::DbError,
    sessions,
    value::{Row, params},
};

pub(crate) async fn issue(
    db: &mut Connection,
    token: &TokenHash,
    session: &SessionId,
    at: Timestamp,
) -> Result<(), DbError> {
    let insert = "INSERT INTO refresh_tokens (hash, session_id, issued_at) VALUES ($1, $2, $3)";
    db.execute(insert, params![token.as_str(), session.as_str(), at])
        .await
        .map(drop)
}

/// The session of a token, unless it has ended.
pub(crate) async fn state(
    db: &mut Connection,
    token: &TokenHash,
) -> Result<Option<RefreshState>, DbError> {
    let select = format!(
        "SELECT {}, t.used_at FROM refresh_tokens t JOIN sessions USING (session_id)
        WHERE t.hash = $1 AND ended_at IS NULL",
        sessions::COLUMNS
    );
    let read = |mut row: Row| {
        let session = sessions::read(&mut row)?;
        Ok(RefreshState {
            session,
            used: row.opt_int()?.is_some(),
        })
    };
    db.find(&select, params![token.as_str()])
        .await?
        .map(read)
        .transpose()
}

pub(crate) async fn rotate(
    db: &mut Connection,
    rotate: &RefreshRotation,
) -> Result<Rotation, DbError> {
    // One conditional update: of any number of parallel calls, one succeeds.
    const USE: &str = "UPDATE refresh_tokens SET used_at = $2, successor = $3
        WHERE hash = $1 AND used_at IS NULL RETURNING session_id";
    let used = db
        .find(
            USE,
            params![rotate.old.as_str(), rotate.at, rotate.new.as_str()],
        )
        .await?;
    match used {
        Some(mut row) => {
            let id = SessionId::new(&row.text()?);
            Ok(issue_successor(db, rotate, &id)
                .await?
                .map_or(Rotation::Invalid, Rotation::Rotated))
        }
        None => reuse(db, rotate).await,
    }
}

/// Stores the new token; `None` if the session has ended.
async fn issue_successor(
    db: &mut Connection,
    rotate: &RefreshRotation,
    id: &SessionId,
) -> Result<Option<Session>, DbError> {
    let session = observe_use(db, rotate, id).await?;
    if session.is_some() {
        issue(db, &rotate.new, id, rotate.at).await?;
    }
    Ok(session)
}

/// Updates `last_seen` of a live session.
async fn observe_use(
    db: &mut Connection,
    rotate: &RefreshRotation,
    id: &SessionId,
) -> Result<Option<Session>, DbError> {
    let touch = format!(
        "UPDATE sessions SET last_seen = CASE WHEN last_seen < $2 OR last_seen > $4 THEN $2 ELSE last_seen END
        WHERE session_id = $1 AND ended_at IS NULL AND expires_at > $2 AND last_seen >= $3 RETURNING {}",
        sessions::COLUMNS
    );
    let ahead = rotate
        .at
        .checked_add(CLOCK_LEEWAY)
        .unwrap_or(Timestamp::MAX);
    let row = db
        .find(
            &touch,
            params![id.as_str(), rotate.at, rotate.idle_since, ahead],
        )
        .await?;
    row.map(|mut row| sessions::read(&mut row)).transpose()
}

async fn reuse(db: &mut Connection, rotate: &RefreshRotation) -> Result<Rotation, DbError> {
    const FIND: &str =
        "SELECT session_id, used_at, successor FROM refresh_tokens WHERE hash = $1 FOR UPDATE";
    let Some(mut row) = db.find(FIND, params![rotate.old.as_str()]).await? else {
        return Ok(Rotation::Invalid);
    };
    let id = SessionId::new(&row.text()?);
    let (used_at, successor) = (row.opt_time()?, row.opt_text()?);
    if let (Some(used_at), Some(successor)) = (used_at, successor)
        && is_in_grace(used_at, rotate)
        && revoke_successor(db, &successor, rotate.at).await?
    {
        let replace = "UPDATE refresh_tokens SET successor = $2 WHERE hash = $1";
        db.execute(replace, params![rotate.old.as_str(), rotate.new.as_str()])
            .await?;
        return Ok(issue_successor(db, rotate, &id)
            .await?
            .map_or(Rotation::Invalid, Rotation::Retried));
    }
    end_replayed(db, rotate, &id).await
}

/// The grace applies to both sides of now, because another node's clock may be slightly ahead. The
/// bound ahead keeps a clock that was set back from extending the grace.
fn is_in_grace(used_at: Timestamp, rotate: &RefreshRotation) -> bool {
    let grace = rotate.grace_since.duration_until(rotate.at);
    rotate.grace_since <= used_at
        && used_at <= rotate.at.checked_add(grace).unwrap_or(Timestamp::MAX)
}

/// Returns true if the token existed unused. It counts as used from now on, without a successor.
async fn revoke_successor(
    db: &mut Connection,
    token: &str,
    at: Timestamp,
) -> Result<bool, DbError> {
    let mark = "UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
    Ok(db.execute(mark, params![token, at]).await? == 1)
}

async fn end_replayed(
    db: &mut Connection,
    rotate: &RefreshRotation,
    id: &SessionId,
) -> Result<Rotation, DbError> {
    let live = sessions::find(db, id).await?;
    let live = live.filter(|session| {
        session.ended_at.is_none()
            && session.expires_at > rotate.at
            && session.last_seen >= rotate.idle_since
    });
    let Some(mut session) = live else {
        return Ok(Rotation::Invalid);
    };
    let (username, at) = (session.username.clone(), rotate.at);
    let end = SessionEnd {
        reason: EndReason::Replayed,
        by: Actor::new(username.clone()),
        at,
    };
    if !sessions::end(
        db,
        &sessions::EndSession {
            username,
            id: id.clone(),
            end,
        },
    )
    .await?
    {
        return Ok(Rotation::Invalid);
    }
    session.ended_at = Some(at);
    Ok(Rotation::Replayed(session))
}
