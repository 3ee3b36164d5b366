//! Links that set a new password.

use auth::{
    Account, EmailAddress, Username,
    audit::{AuditAction, NewAuditEntry},
    store::{
        EndReason, OneTimeKind, OneTimeToken, PasswordReset, ResetConditions, ResetStore,
        SessionEnd, StoreResult,
    },
};

use jiff::Timestamp;

use crate::{
    Store,
    account_events::append,
    accounts, audit,
    connection::Connection,
    error::DbError,
    one_time_tokens::{self, Key},
    sessions,
    transaction::{read_tx, write_tx},
    value::params,
};

impl ResetStore for Store {
    async fn accounts_by_email(&self, email: &EmailAddress) -> StoreResult<Vec<Account>> {
        read_tx!(self, email.clone(), by_email)
    }

    async fn insert_reset(
        &self,
        token: OneTimeToken,
        record: NewAuditEntry,
        unless_since: Option<Timestamp>,
    ) -> StoreResult<bool> {
        write_tx!(self, (token, record, unless_since), insert)
    }

    async fn reset_password(&self, reset: PasswordReset) -> StoreResult<Option<Account>> {
        write_tx!(self, reset, set_password)
    }
}

async fn by_email(db: &mut Connection, email: &EmailAddress) -> Result<Vec<Account>, DbError> {
    let select = format!(
        "SELECT {} FROM accounts a WHERE LOWER(a.email COLLATE \"C\") = $1 AND a.standing = 'active'
        ORDER BY a.email_verified DESC, a.created_at, a.username LIMIT 5",
        accounts::COLUMNS
    );
    let rows = db
        .query(&select, params![email.as_str().to_ascii_lowercase()])
        .await?;
    rows.into_iter()
        .map(|mut row| accounts::read(&mut row))
        .collect()
}

type NewReset = (OneTimeToken, NewAuditEntry, Option<Timestamp>);

async fn insert(
    db: &mut Connection,
    (token, record, unless_since): &NewReset,
) -> Result<bool, DbError> {
    if let Some(username) = &token.username {
        // A parallel request waits here, then replaces the link that the first one stored.
        accounts::lock_row(db, username).await?;
        if let Some(since) = unless_since
            && one_time_tokens::newest(db, OneTimeKind::Reset, username, token.created_at)
                .await?
                .is_some_and(|made| made > *since)
        {
            return Ok(false);
        }
        delete_all(db, username).await?;
    }
    one_time_tokens::insert(db, token).await?;
    audit::record(db, record).await?;
    Ok(true)
}

/// Deletes every reset link of the account.
pub(crate) async fn delete_all(db: &mut Connection, username: &Username) -> Result<(), DbError> {
    one_time_tokens::delete_all(db, &(OneTimeKind::Reset, username.clone()))
        .await
        .map(drop)
}

/// Locks the account of a link and the link's creator, in the order of their names, which excludes
/// deadlocks.
async fn lock_both(
    db: &mut Connection,
    username: &Username,
    maker: Option<Username>,
) -> Result<(Option<Account>, Option<Account>), DbError> {
    let Some(maker) = maker else {
        return Ok((accounts::lock_row(db, username).await?, None));
    };
    if maker < *username {
        let maker = accounts::lock_row(db, &maker).await?;
        return Ok((accounts::lock_row(db, username).await?, maker));
    }
    let account = accounts::lock_row(db, username).await?;
    Ok((account, accounts::lock_row(db, &maker).await?))
}

async fn set_password(
    db: &mut Connection,
    reset: &PasswordReset,
) -> Result<Option<Account>, DbError> {
    const SET: &str = "UPDATE accounts SET password = $2, reset_required = 0 WHERE username = $1";
    let one = Key {
        kind: OneTimeKind::Reset,
        hash: reset.link.clone(),
        at: reset.at,
    };
    let Some(token) = one_time_tokens::find(db, &one).await? else {
        return Ok(None);
    };
    let (Some(terms), Some(username)) = (ResetConditions::parse(&token), token.username) else {
        return Ok(None);
    };
    // Accounts are locked before their tokens, as everywhere.
    let (account, maker) = lock_both(db, &username, terms.creator()).await?;
    let Some(before) = account.filter(|account| terms.still_hold(account, maker.as_ref())) else {
        return Ok(None);
    };
    if one_time_tokens::consume(db, &one).await?.is_none() {
        return Ok(None);
    }
    db.execute(SET, params![username.as_str(), reset.password.as_str()])
        .await?;
    let end = SessionEnd {
        reason: EndReason::PasswordChanged,
        by: reset.by.clone(),
        at: reset.at,
    };
    let ended = sessions::revoke_all(
        db,
        &sessions::EndSessions {
            username: username.clone(),
            keep: None,
            end,
        },
    )
    .await?;
    delete_all(db, &username).await?;
    append(db, &username).await?;
    let record = NewAuditEntry::new(&reset.by, AuditAction::PasswordReset, reset.at)
        .subject(username.as_str());
    audit::record(
        db,
        &record.with_detail(|detail| detail.with("sessions_ended", ended)),
    )
    .await?;
    Ok(Some(Account {
        must_change_password: false,
        ..before
    }))
}
