//! The sign-in history of each account: client and network, and the failures since the last
//! sign-in.

use auth::{
    Origin, Session, Username,
    audit::{AuditAction, Chain},
    store::{SignInContext, SourceFamiliarity},
};
use jiff::Timestamp;

use crate::{connection::Connection, error::DbError, value::params};

/// 200 sources per account, the last used ones; older ones are deleted.
const MAX_KNOWN_SOURCES: u32 = 200;

/// Records the sign-in. The first source of an account counts as known; any other unknown source is
/// new.
pub(crate) async fn record_sign_in(
    db: &mut Connection,
    session: &Session,
) -> Result<SignInContext, DbError> {
    const AGAIN: &str = "UPDATE sign_in_history SET last_at = $4 WHERE username = $1 AND program = $2 AND network = $3";
    const FIRST: &str = "INSERT INTO sign_in_history (username, program, network, first_at, last_at) VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT DO NOTHING";
    const BOUND: &str = "DELETE FROM sign_in_history WHERE username = $1 AND (program, network) IN
        (SELECT program, network FROM sign_in_history WHERE username = $1 ORDER BY last_at DESC, program, network
        LIMIT 1000 OFFSET $2)";
    let (username, origin) = (session.username.as_str(), &session.origin);
    let row = params![
        username,
        origin.user_agent_label(),
        origin.network_prefix(),
        session.last_seen
    ];
    let last = last_sign_in(db, username).await?;
    let away = last
        .map(|last| session.last_seen.duration_since(last).unsigned_abs())
        .unwrap_or_default();
    let refused = failures_since(db, username).await?;
    let place = if db.execute(AGAIN, row).await? > 0 {
        SourceFamiliarity::Known
    } else {
        db.execute(FIRST, row).await?;
        db.execute(BOUND, params![username, MAX_KNOWN_SOURCES])
            .await?;
        if last.is_some() {
            SourceFamiliarity::New
        } else {
            SourceFamiliarity::Known
        }
    };
    Ok(SignInContext {
        source: place,
        since_last: away,
        failed_attempts: refused,
    })
}

pub(crate) async fn is_known(
    db: &mut Connection,
    (username, from): &(Username, Origin),
) -> Result<SourceFamiliarity, DbError> {
    const SEEN: &str =
        "SELECT 1 FROM sign_in_history WHERE username = $1 AND program = $2 AND network = $3";
    let seen = db
        .find(
            SEEN,
            params![
                username.as_str(),
                from.user_agent_label(),
                from.network_prefix()
            ],
        )
        .await?;
    let is_known = seen.is_some() || last_sign_in(db, username.as_str()).await?.is_none();
    Ok(if is_known {
        SourceFamiliarity::Known
    } else {
        SourceFamiliarity::New
    })
}

async fn last_sign_in(db: &mut Connection, username: &str) -> Result<Option<Timestamp>, DbError> {
    let last = db
        .find(
            "SELECT MAX(last_at) FROM sign_in_history WHERE username = $1",
            params![username],
        )
        .await?;
    last.map_or(Ok(None), |mut row| row.opt_time())
}

/// From the audit, limited to a fixed number of entries.
async fn failures_since(db: &mut Connection, username: &str) -> Result<u32, DbError> {
    const ACTIONS: &str =
        "SELECT action FROM audit WHERE chain = $1 AND subject = $2 ORDER BY n DESC LIMIT 100";
    let mut refused = 0;
    // Failures from before the account existed do not concern its owner.
    let begins = [
        AuditAction::SignedIn.as_str(),
        AuditAction::AccountCreated.as_str(),
    ];
    for mut row in db
        .query(ACTIONS, params![Chain::Accounts.key(), username])
        .await?
    {
        match row.text()? {
            action if begins.contains(&action.as_str()) => break,
            action if action == AuditAction::SignInFailed.as_str() => refused += 1,
            _ => {}
        }
    }
    Ok(refused)
}
