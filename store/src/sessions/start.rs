//! The start of a session, and its audit entry.

use auth::{
    AccountStatus, Actor, ActorVia, RealmId, SecurityEpoch, Session, SessionKind, TokenHash,
    audit::{AuditAction, NewAuditEntry},
    session::model::Persistence,
    store::SignInContext,
};
use serde_json::json;

use super::rows::realms_json;
use crate::{
    accounts, audit, connection::Connection, error::DbError, refresh, sign_in_history, throttles,
    value::params,
};

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
        user_agent, ended_at, cookie_hash, methods, grants, realms, label, client, started_at, persistent)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
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
        session.started_at,
        session.persistence == Persistence::Persistent,
    ];
    db.execute(INSERT, row).await.map(drop)
}
