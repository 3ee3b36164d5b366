//! Sessions: begun, seen, ended, forgotten.

use std::sync::Arc;

use auth::{
    Grants, Methods, Origin, RealmId, Session, SessionId, SessionKind, Standing, TokenHash, Username,
    store::{EndReason, Record, SignInRecord},
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    account_log::announce,
    accounts,
    audit::Entry,
    connection::Connection,
    error::DbError,
    persisted, refresh, slips,
    value::{Row, params},
};

pub(crate) const COLUMNS: &str = "session_id, username, kind, auth_time, last_seen, expires_at,
    address, user_agent, ended_at, methods, grants, realms, label";

pub(crate) fn read(row: &mut Row) -> Result<Session, DbError> {
    Ok(Session {
        id: SessionId::new(&row.text()?),
        username: accounts::username(&row.text()?)?,
        kind: kind(&row.text()?)?,
        auth_time: row.time()?,
        last_seen: row.time()?,
        expires_at: row.time()?,
        origin: Origin {
            address: row.text()?.parse().map_err(|_| DbError::broken("a stored address"))?,
            user_agent: row.text_or_null()?,
            device: None,
        },
        ended_at: row.time_or_null()?,
        methods: Methods::stored(&row.text()?),
        grants: Grants::parse(&row.text()?).map_err(|_| DbError::broken("a stored scope"))?,
        realms: row.text_or_null()?.map(|json| realms(&json)).transpose()?,
        label: row.text_or_null()?,
    })
}

fn kind(raw: &str) -> Result<SessionKind, DbError> {
    match raw {
        "web" => Ok(SessionKind::Web),
        "tokens" => Ok(SessionKind::Tokens),
        "personal" => Ok(SessionKind::Personal),
        _ => Err(DbError::broken("a stored kind of session")),
    }
}

fn realms(json: &str) -> Result<Arc<[RealmId]>, DbError> {
    let ids: Vec<String> = persisted::read(json)?;
    Ok(ids.iter().map(|id| RealmId::new(id)).collect())
}

fn realms_json(session: &Session) -> Result<Option<String>, DbError> {
    let ids = |realms: &Arc<[RealmId]>| realms.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
    session.realms.as_ref().map(|realms| persisted::write(&ids(realms))).transpose()
}

#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) session: Session,
    pub(crate) secret: TokenHash,
}

/// The session of an account that was disabled since the password was checked is born ended.
pub(crate) async fn start(db: &mut Connection, start: &Start) -> Result<(), DbError> {
    const INSERT: &str = "INSERT INTO sessions (session_id, username, kind, auth_time, last_seen, expires_at, address,
        user_agent, ended_at, cookie_hash, methods, grants, realms, label)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let (session, secret) = (&start.session, &start.secret);
    let account = accounts::hold(db, &session.username).await?;
    let alive = account.is_some_and(|account| account.standing == Standing::Active);
    let (kind, cookie) = match session.kind {
        SessionKind::Web => ("web", Some(secret.as_str())),
        SessionKind::Personal => ("personal", Some(secret.as_str())),
        SessionKind::Tokens => ("tokens", None),
    };
    let row = params![
        session.id.as_str(),
        session.username.as_str(),
        kind,
        session.auth_time,
        session.last_seen,
        session.expires_at,
        session.origin.address.to_string(),
        session.origin.user_agent.as_deref(),
        if alive { session.ended_at } else { Some(session.auth_time) },
        cookie,
        session.methods.to_string(),
        session.grants.to_string(),
        realms_json(session)?,
        session.label.as_deref(),
    ];
    db.execute(INSERT, row).await?;
    if session.kind == SessionKind::Tokens {
        refresh::issue(db, secret, &session.id, session.auth_time).await?;
    }
    Ok(())
}

pub(crate) async fn find(db: &mut Connection, id: &SessionId) -> Result<Option<Session>, DbError> {
    let select = format!("SELECT {COLUMNS} FROM sessions WHERE session_id = $1");
    db.find(&select, params![id.as_str()]).await?.map(|mut row| read(&mut row)).transpose()
}

/// Not one that has been ended.
pub(crate) async fn by_cookie(db: &mut Connection, cookie: &TokenHash) -> Result<Option<Session>, DbError> {
    let select = format!("SELECT {COLUMNS} FROM sessions WHERE cookie_hash = $1 AND ended_at IS NULL");
    db.find(&select, params![cookie.as_str()]).await?.map(|mut row| read(&mut row)).transpose()
}

pub(crate) async fn touch(db: &mut Connection, id: &SessionId, at: Timestamp) -> Result<(), DbError> {
    const TOUCH: &str =
        "UPDATE sessions SET last_seen = $2 WHERE session_id = $1 AND last_seen < $2 AND ended_at IS NULL";
    db.execute(TOUCH, params![id.as_str(), at]).await.map(drop)
}

/// Live ones, newest sign of life first.
pub(crate) async fn of(db: &mut Connection, username: &Username, at: Timestamp) -> Result<Vec<Session>, DbError> {
    let select = format!(
        "SELECT {COLUMNS} FROM sessions WHERE username = $1 AND ended_at IS NULL AND expires_at > $2
        ORDER BY last_seen DESC, session_id"
    );
    let rows = db.query(&select, params![username.as_str(), at]).await?;
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

#[derive(Debug)]
pub(crate) struct End {
    pub(crate) username: Username,
    pub(crate) id: SessionId,
    pub(crate) why: EndReason,
    pub(crate) at: Timestamp,
}

/// True if it was alive and that user's.
pub(crate) async fn end(db: &mut Connection, end: &End) -> Result<bool, DbError> {
    const END: &str = "UPDATE sessions SET ended_at = $3, end_reason = $4
        WHERE session_id = $1 AND username = $2 AND ended_at IS NULL AND expires_at > $3";
    let row = params![end.id.as_str(), end.username.as_str(), end.at, reason(end.why)];
    if db.execute(END, row).await? == 0 {
        return Ok(false);
    }
    announce(db, &end.username).await?;
    let detail = json!({ "session": end.id.as_str(), "reason": reason(end.why) });
    record_end(db, &end.username, end.at, detail).await?;
    Ok(true)
}

#[derive(Debug)]
pub(crate) struct EndAll {
    pub(crate) username: Username,
    pub(crate) keep: Option<SessionId>,
    pub(crate) why: EndReason,
    pub(crate) at: Timestamp,
}

/// Says how many were alive.
pub(crate) async fn end_all(db: &mut Connection, end: &EndAll) -> Result<u64, DbError> {
    let ended = end_each(db, end).await?;
    if ended > 0 {
        announce(db, &end.username).await?;
        record_end(db, &end.username, end.at, json!({ "sessions": ended, "reason": reason(end.why) })).await?;
    }
    Ok(ended)
}

/// As [`end_all`], without announcing it.
pub(crate) async fn end_each(db: &mut Connection, end: &EndAll) -> Result<u64, DbError> {
    const END: &str = "UPDATE sessions SET ended_at = $3, end_reason = $4
        WHERE username = $1 AND session_id <> $2 AND ended_at IS NULL AND expires_at > $3";
    let keep = end.keep.as_ref().map_or("", SessionId::as_str);
    db.execute(END, params![end.username.as_str(), keep, end.at, reason(end.why)]).await
}

async fn record_end(
    db: &mut Connection,
    username: &Username,
    at: Timestamp,
    detail: serde_json::Value,
) -> Result<(), DbError> {
    let name = username.as_str();
    accounts::append(db, Entry { at, actor: name, action: "session.end", subject: name, detail }).await
}

fn reason(why: EndReason) -> &'static str {
    match why {
        EndReason::SignedOut => "signed_out",
        EndReason::EndedByOwner => "ended_by_owner",
        EndReason::Revoked => "revoked",
        EndReason::Replayed => "replayed",
        EndReason::PasswordChanged => "password_changed",
        EndReason::FactorsChanged => "factors_changed",
        EndReason::EndedByAdministrator => "ended_by_administrator",
    }
}

/// What was typed may be anything, so little of it is kept.
pub(crate) async fn record_sign_in(db: &mut Connection, record: &SignInRecord) -> Result<(), DbError> {
    let typed: String = record.username.chars().filter(|c| !c.is_control()).take(64).collect();
    let detail = json!({
        "outcome": record.outcome, "address": record.origin.address.to_string(),
        "user_agent": record.origin.user_agent,
    });
    let entry = Entry { at: record.at, actor: &typed, action: "sign_in", subject: &typed, detail };
    accounts::append(db, entry).await
}

pub(crate) async fn record(db: &mut Connection, record: &Record) -> Result<(), DbError> {
    let detail = record.detail.clone();
    let (actor, subject) = (record.actor.as_str(), record.subject.as_str());
    accounts::append(db, Entry { at: record.at, actor, action: record.action, subject, detail }).await
}

/// Forgets at most so many sessions (and their refresh tokens) that ended before; says how many.
pub(crate) async fn forget(db: &mut Connection, before: &Timestamp) -> Result<u64, DbError> {
    const ENDED: &str = "SELECT session_id FROM sessions
        WHERE (ended_at IS NOT NULL AND ended_at < $1) OR expires_at < $1 LIMIT 200";
    slips::forget(db, *before).await?;
    let ended = db.query(ENDED, params![*before]).await?;
    let mut forgotten = 0;
    for mut row in ended {
        let id = row.text()?;
        forgotten += db.execute("DELETE FROM sessions WHERE session_id = $1", params![id.as_str()]).await?;
        db.execute("DELETE FROM refresh_tokens WHERE session_id = $1", params![id]).await?;
    }
    Ok(forgotten)
}
