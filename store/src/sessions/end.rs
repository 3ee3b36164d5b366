//! The end of sessions: one, all of an account, all of the installation.

use auth::{
    SessionId, SessionKind, Username,
    audit::{ALL_ACCOUNTS, AuditAction, NewAuditEntry},
    store::{EndAllSessions, EndReason, PersonalTokenPolicy, SessionEnd},
};

use crate::{
    account_events::{append, append_for_ended},
    accounts, audit,
    connection::Connection,
    error::DbError,
    invites,
    value::params,
};

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
