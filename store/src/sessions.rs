//! Sessions: start, use, end, purge.

use std::sync::Arc;

use auth::{
    AccountStatus, Actor, ActorVia, AuthMethods, Origin, RealmId, Scopes, SecurityEpoch, Session,
    SessionId, SessionKind, TokenHash, Username,
    audit::{ALL_ACCOUNTS, AuditAction, NewAuditEntry},
    clock::CLOCK_LEEWAY,
    store::{
        EndAllSessions, EndReason, PersonalTokenPolicy, SessionEnd, SignInContext, StoreResult,
    },
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Store,
    account_events::{append, append_for_ended},
    accounts, audit,
    connection::Connection,
    error::DbError,
    invites, json_rows, refresh, sign_in_history, throttles,
    transaction::read_tx as ask,
    value::{Row, params},
};

pub(crate) const COLUMNS: &str = "session_id, username, kind, auth_time, last_seen, expires_at,
    address, user_agent, ended_at, methods, grants, realms, label, client";

pub(crate) fn read(row: &mut Row) -> Result<Session, DbError> {
    Ok(Session {
        id: SessionId::new(&row.text()?),
        username: accounts::username(&row.text()?)?,
        kind: kind(&row.text()?)?,
        auth_time: row.time()?,
        last_seen: row.time()?,
        expires_at: row.time()?,
        origin: Origin {
            address: row
                .text()?
                .parse()
                .map_err(|_| DbError::corrupt("stored IP address is invalid"))?,
            user_agent: row.opt_text()?,
            device: None,
        },
        ended_at: row.opt_time()?,
        methods: AuthMethods::parse(&row.text()?),
        scopes: Scopes::parse(&row.text()?)
            .map_err(|_| DbError::corrupt("stored scope is invalid"))?,
        realms: row.opt_text()?.map(|json| realms(&json)).transpose()?,
        label: row.opt_text()?,
        client: row.opt_text()?,
    })
}

fn kind(raw: &str) -> Result<SessionKind, DbError> {
    match raw {
        "web" => Ok(SessionKind::Web),
        "tokens" => Ok(SessionKind::OAuth),
        "personal" => Ok(SessionKind::Personal),
        _ => Err(DbError::corrupt("stored session kind is unknown")),
    }
}

fn realms(json: &str) -> Result<Arc<[RealmId]>, DbError> {
    let ids: Vec<String> = json_rows::read(json)?;
    Ok(ids.iter().map(|id| RealmId::new(id)).collect())
}

fn realms_json(session: &Session) -> Result<Option<String>, DbError> {
    let ids = |realms: &Arc<[RealmId]>| {
        realms
            .iter()
            .map(|id| id.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    session
        .realms
        .as_ref()
        .map(|realms| json_rows::write(&ids(realms)))
        .transpose()
}

#[derive(Debug)]
pub(crate) struct StartSession {
    pub(crate) session: Session,
    pub(crate) secret: TokenHash,
    /// The account's epoch before authentication began.
    pub(crate) epoch: SecurityEpoch,
}

/// Returns `None` if the account was disabled or its epoch changed since. Locks the account until
/// the commit, so that a later revocation also ends this session.
pub(crate) async fn start(
    db: &mut Connection,
    start: &StartSession,
) -> Result<Option<SignInContext>, DbError> {
    // Compared at `last_seen`, the start of the session: `auth_time` may be much older, since an
    // upstream provider may have authenticated the owner.
    let session = &start.session;
    let account = accounts::lock_row(db, &session.username).await?;
    if account.is_none_or(|account| {
        account.status != AccountStatus::Active || account.epoch != start.epoch
    }) {
        return Ok(None);
    }
    insert(db, start).await?;
    if session.kind == SessionKind::OAuth {
        refresh::issue(db, &start.secret, &session.id, session.last_seen).await?;
    }
    if session.kind == SessionKind::Personal {
        audit::record(db, &token_created(session)).await?;
        return Ok(Some(SignInContext::default()));
    }
    throttles::remember_source(db, session).await?;
    let arrival = sign_in_history::record_sign_in(db, session).await?;
    audit::record(db, &sign_in(session, &arrival)).await?;
    Ok(Some(arrival))
}

fn sign_in(session: &Session, arrival: &SignInContext) -> NewAuditEntry {
    let methods: Vec<_> = session
        .methods
        .iter()
        .map(auth::AuthMethod::as_str)
        .collect();
    NewAuditEntry::new(
        &session_actor(session),
        AuditAction::SignedIn,
        session.last_seen,
    )
    .with_detail(|detail| arrival.into_detail(detail.with("methods", methods)))
}

/// The actor is the owner, not the session that requested the token.
fn token_created(session: &Session) -> NewAuditEntry {
    let after = json!({ "label": session.label, "scope": session.scopes.to_string(),
        "realms": session.realms.as_deref().map(|realms| realms.iter().map(RealmId::as_str).collect::<Vec<_>>()),
        "expires_at": session.expires_at.to_string() });
    let by = Actor {
        via: None,
        ..session_actor(session)
    };
    NewAuditEntry::new(&by, AuditAction::TokenCreated, session.last_seen).with_detail(|detail| {
        detail
            .change(json!({}), after)
            .with("session", session.id.as_str())
    })
}

fn session_actor(session: &Session) -> Actor {
    let by = Actor::new(session.username.clone()).with_origin(&session.origin);
    Actor {
        via: Some(ActorVia::of(session)),
        ..by
    }
}

async fn insert(db: &mut Connection, start: &StartSession) -> Result<(), DbError> {
    const INSERT: &str = "INSERT INTO sessions (session_id, username, kind, auth_time, last_seen, expires_at, address,
        user_agent, ended_at, cookie_hash, methods, grants, realms, label, client)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let (session, secret) = (&start.session, &start.secret);
    let cookie = match session.kind {
        SessionKind::Web | SessionKind::Personal => Some(secret.as_str()),
        SessionKind::OAuth => None,
    };
    let row = params![
        session.id.as_str(),
        session.username.as_str(),
        session.kind.as_str(),
        session.auth_time,
        session.last_seen,
        session.expires_at,
        session.origin.address.to_string(),
        session.origin.user_agent.as_deref(),
        session.ended_at,
        cookie,
        session.methods.to_string(),
        session.scopes.to_string(),
        realms_json(session)?,
        session.label.as_deref(),
        session.client.as_deref(),
    ];
    db.execute(INSERT, row).await.map(drop)
}

pub(crate) async fn find(db: &mut Connection, id: &SessionId) -> Result<Option<Session>, DbError> {
    let select = format!("SELECT {COLUMNS} FROM sessions WHERE session_id = $1");
    db.find(&select, params![id.as_str()])
        .await?
        .map(|mut row| read(&mut row))
        .transpose()
}

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

#[derive(Debug)]
pub(crate) struct EndSession {
    pub(crate) username: Username,
    pub(crate) id: SessionId,
    pub(crate) end: SessionEnd,
}

/// Returns true if the session was live and belonged to that user.
pub(crate) async fn end(db: &mut Connection, one: &EndSession) -> Result<bool, DbError> {
    const END: &str = "UPDATE sessions SET ended_at = $3, end_reason = $4
        WHERE session_id = $1 AND username = $2 AND ended_at IS NULL AND expires_at > $3 RETURNING kind, label";
    let EndSession { username, id, end } = one;
    let row = params![id.as_str(), username.as_str(), end.at, end.reason.as_str()];
    let Some(mut ended) = db.find(END, row).await? else {
        return Ok(false);
    };
    append(db, username).await?;
    let (kind, label) = (ended.text()?, ended.opt_text()?);
    let action = if kind == SessionKind::Personal.as_str() {
        AuditAction::TokenEnded
    } else {
        AuditAction::SessionEnded
    };
    let record = NewAuditEntry::new(&end.by, action, end.at)
        .subject(username.as_str())
        .with_detail(|detail| {
            let detail = detail.reason(end.reason.as_str());
            detail
                .with("session", id.as_str())
                .with("kind", kind)
                .with("label", label)
        });
    audit::record(db, &record).await?;
    Ok(true)
}

#[derive(Debug)]
pub(crate) struct EndSessions {
    pub(crate) username: Username,
    pub(crate) keep: Option<SessionId>,
    pub(crate) end: SessionEnd,
}

/// Returns how many were live.
pub(crate) async fn end_all(db: &mut Connection, all: &EndSessions) -> Result<u64, DbError> {
    let ended = revoke_all(db, all).await?;
    append(db, &all.username).await?;
    if ended > 0 {
        let record = NewAuditEntry::new(&all.end.by, AuditAction::SessionsEnded, all.end.at)
            .subject(all.username.as_str());
        let why = all.end.reason.as_str();
        audit::record(
            db,
            &record.with_detail(|detail| detail.reason(why).with("sessions", ended)),
        )
        .await?;
    }
    Ok(ended)
}

/// Ends them and bumps the epoch, which voids pending flows of the account. Appends no account
/// event.
pub(crate) async fn revoke_all(db: &mut Connection, all: &EndSessions) -> Result<u64, DbError> {
    const END: &str = "UPDATE sessions SET ended_at = $3, end_reason = $4
        WHERE username = $1 AND session_id <> $2 AND ended_at IS NULL AND expires_at > $3";
    // First, because it locks the account. A session created at the same time is then either
    // visible here, or sees the new epoch.
    accounts::bump_epoch(db, &all.username, all.end.at).await?;
    // A change of factors does not put the owner's invitations in doubt; every other reason may.
    if all.end.reason != EndReason::FactorsChanged {
        invites::revoke_all(db, Some(&all.username), &all.end).await?;
    }
    let keep = all.keep.as_ref().map_or("", SessionId::as_str);
    db.execute(
        END,
        params![
            all.username.as_str(),
            keep,
            all.end.at,
            all.end.reason.as_str()
        ],
    )
    .await
}

/// Ends the personal tokens with the scope `admin` when their owner becomes an administrator: they
/// were created when that scope gave no rights.
pub(crate) async fn end_admin_tokens(
    db: &mut Connection,
    username: &Username,
    end: &SessionEnd,
) -> Result<u64, DbError> {
    const END: &str = "UPDATE sessions SET ended_at = $2, end_reason = $3
        WHERE username = $1 AND kind = $4 AND ended_at IS NULL AND expires_at > $2 AND ' ' || grants || ' ' LIKE $5";
    let (kind, grant) = (
        SessionKind::Personal.as_str(),
        format!("% {} %", auth::Scope::Administer.as_str()),
    );
    db.execute(
        END,
        params![username.as_str(), end.at, end.reason.as_str(), kind, grant],
    )
    .await
}

/// Ends the sessions that began at a provider, except `keep`; returns how many.
pub(crate) async fn end_upstream_sessions(
    db: &mut Connection,
    all: &EndSessions,
) -> Result<u64, DbError> {
    const END: &str = "UPDATE sessions SET ended_at = $3, end_reason = $4
        WHERE username = $1 AND session_id <> $2 AND ended_at IS NULL AND ' ' || methods || ' ' LIKE $5";
    let keep = all.keep.as_ref().map_or("", SessionId::as_str);
    let began = format!("% {} %", auth::AuthMethod::Upstream.as_str());
    db.execute(
        END,
        params![
            all.username.as_str(),
            keep,
            all.end.at,
            all.end.reason.as_str(),
            began
        ],
    )
    .await
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

/// Ends the sessions of all accounts; returns how many were live.
pub(crate) async fn end_all_accounts(
    db: &mut Connection,
    all: &EndAllSessions,
) -> Result<u64, DbError> {
    const END: &str = "UPDATE sessions SET ended_at = $2, end_reason = $3
        WHERE session_id <> $1 AND ended_at IS NULL AND expires_at > $2 AND kind <> $4";
    let keep = all.keep.as_ref().map_or("", SessionId::as_str);
    let spared = if all.tokens == PersonalTokenPolicy::Keep {
        SessionKind::Personal.as_str()
    } else {
        ""
    };
    let end = &all.end;
    // First, as in `revoke_all`.
    accounts::bump_all_epochs(db, end.at).await?;
    invites::revoke_all(db, None, end).await?;
    let ended = db
        .execute(END, params![keep, end.at, end.reason.as_str(), spared])
        .await?;
    append_for_ended(db, end.at).await?;
    let record = NewAuditEntry::new(&end.by, AuditAction::AllSessionsEnded, end.at)
        .subject(ALL_ACCOUNTS)
        .with_detail(|detail| {
            let tokens = (all.tokens == PersonalTokenPolicy::End).then_some(true);
            detail
                .reason(all.reason.as_str())
                .with("sessions", ended)
                .with("tokens", tokens)
        });
    audit::record(db, &record).await?;
    Ok(ended)
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
