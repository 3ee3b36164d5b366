//! Replacing a password hash.

use auth::{
    Actor, PasswordHash, SessionId, Username,
    audit::{AuditAction, NewAuditEntry},
    store::{EndReason, PasswordWrite, SessionEnd},
};
use jiff::Timestamp;

use super::rows::{bump_epoch, lock_row};
use crate::{
    account_events::append, audit, connection::Connection, error::DbError, resets, sessions,
    value::params,
};

#[derive(Debug)]
pub(crate) struct ReplacePassword {
    pub(crate) username: Username,
    pub(crate) old: PasswordHash,
    pub(crate) new: PasswordHash,
    pub(crate) reason: PasswordWrite,
    pub(crate) by: Actor,
    pub(crate) at: Timestamp,
}

/// Returns false if the stored hash is no longer the old one.
pub(crate) async fn replace_password(
    db: &mut Connection,
    replace: &ReplacePassword,
) -> Result<bool, DbError> {
    const SWAP: &str = "UPDATE accounts SET password = $3 WHERE username = $1 AND password = $2";
    let (username, at) = (&replace.username, replace.at);
    let held = lock_row(db, username).await?;
    if !held.is_some_and(|account| replace.reason.still_applies(&account)) {
        return Ok(false);
    }
    let swap = params![
        username.as_str(),
        replace.old.as_str(),
        replace.new.as_str()
    ];
    if db.execute(SWAP, swap).await? == 0 {
        return Ok(false);
    }
    if replace.reason != PasswordWrite::Rehash {
        resets::delete_all(db, username).await?;
    }
    let (action, ended) = match &replace.reason {
        PasswordWrite::Rehash => (AuditAction::PasswordRehashed, 0),
        PasswordWrite::ChangeKeepingSessions { .. } => {
            bump_epoch(db, username, at).await?;
            (AuditAction::PasswordChanged, 0)
        }
        PasswordWrite::Change { keep, .. } => (
            AuditAction::PasswordChanged,
            end_all_but(db, replace, keep.clone()).await?,
        ),
    };
    if replace.reason != PasswordWrite::Rehash {
        append(db, username).await?;
    }
    let record = NewAuditEntry::new(&replace.by, action, at).subject(username.as_str());
    let ended = (ended > 0).then_some(ended);
    audit::record(
        db,
        &record.with_detail(|detail| detail.with("sessions_ended", ended)),
    )
    .await?;
    Ok(true)
}

async fn end_all_but(
    db: &mut Connection,
    replace: &ReplacePassword,
    keep: Option<SessionId>,
) -> Result<u64, DbError> {
    let end = SessionEnd {
        reason: EndReason::PasswordChanged,
        by: replace.by.clone(),
        at: replace.at,
    };
    sessions::revoke_all(
        db,
        &sessions::EndSessions {
            username: replace.username.clone(),
            keep,
            end,
        },
    )
    .await
}
