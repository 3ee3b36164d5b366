//! Changes of an account, and the rules of its last administrator and its deletion.

use auth::{
    Account, AccountChange, AccountStatus, Actor, DisplayName, EmailAddress, Username,
    audit::{AuditAction, NewAuditEntry},
    store::{ChangeRejected, EndReason, SessionEnd},
};
use jiff::Timestamp;
use serde_json::json;

use super::rows::{has_administrator, lock_row, search_key, status_word};
use crate::{
    account_events::{append, lock_administrators},
    audit,
    connection::Connection,
    error::{DbError, TxError},
    resets, sessions,
    value::params,
};

#[derive(Debug)]
pub(crate) struct ChangeAccount {
    pub(crate) username: Username,
    pub(crate) to: AccountChange,
    pub(crate) by: Actor,
    pub(crate) at: Timestamp,
}

pub(crate) async fn change(
    db: &mut Connection,
    request: &ChangeAccount,
) -> Result<Account, TxError<ChangeRejected>> {
    let held = lock_row(db, &request.username).await?;
    // A deleted account does not return, whatever the request asks for.
    let Some(before) = held.filter(|account| account.status != AccountStatus::Deleted) else {
        return Err(ChangeRejected::NoSuchAccount.into());
    };
    let mut after = changed(&before, &request.to);
    save(db, &after).await?;
    if after.status != AccountStatus::Active || after.email != before.email {
        resets::delete_all(db, &request.username).await?;
    }
    if after.status != AccountStatus::Active
        || (after.must_change_password && !before.must_change_password)
    {
        let end = sessions::EndSessions {
            username: request.username.clone(),
            keep: None,
            end: session_end(request),
        };
        sessions::revoke_all(db, &end).await?;
        after.epoch = after.epoch.bump(request.at);
    }
    let mut tokens_ended = None;
    if after.administrator && !before.administrator {
        let end = session_end(request);
        tokens_ended = Some(sessions::end_admin_tokens(db, &request.username, &end).await?)
            .filter(|ended| *ended > 0);
    }
    if after.status == AccountStatus::Deleted {
        erase(db, &request.username).await?;
    }
    if is_administrator(&before) && !is_administrator(&after) {
        require_administrator(db).await?;
    }
    append(db, &request.username).await?;
    let record = NewAuditEntry::new(&request.by, audit_action(&before, &after), request.at)
        .subject(request.username.as_str());
    audit::record(
        db,
        &record.with_detail(|detail| {
            detail
                .change(audit_detail(&before), audit_detail(&after))
                .with("tokens_ended", tokens_ended)
        }),
    )
    .await?;
    Ok(after)
}

fn session_end(request: &ChangeAccount) -> SessionEnd {
    SessionEnd {
        reason: EndReason::EndedByAdministrator,
        by: request.by.clone(),
        at: request.at,
    }
}

fn is_administrator(account: &Account) -> bool {
    account.administrator && account.status == AccountStatus::Active
}

/// Called after the write that removes an administrator. The lock keeps other transactions from
/// removing another until the commit.
async fn require_administrator(db: &mut Connection) -> Result<(), TxError<ChangeRejected>> {
    lock_administrators(db).await?;
    if has_administrator(db).await? {
        return Ok(());
    }
    Err(ChangeRejected::LastAdministrator.into())
}

/// Removes the credentials of a deleted account. Its identities at providers stay linked: without
/// the link, a sign-in there could register a new account.
async fn erase(db: &mut Connection, username: &Username) -> Result<(), DbError> {
    for erase in [
        "UPDATE accounts SET password = '' WHERE username = $1",
        "DELETE FROM factors WHERE username = $1",
        "DELETE FROM one_time_tokens WHERE username = $1",
    ] {
        db.execute(erase, params![username.as_str()]).await?;
    }
    Ok(())
}

/// The most specific audit action for the change.
fn audit_action(before: &Account, after: &Account) -> AuditAction {
    match () {
        () if after.must_change_password && !before.must_change_password => {
            AuditAction::ResetRequired
        }
        () if after.status != before.status || after.administrator != before.administrator => {
            AuditAction::AccountChanged
        }
        () if after.email != before.email || after.email_verified != before.email_verified => {
            AuditAction::EmailChanged
        }
        () => AuditAction::AccountChanged,
    }
}

/// The account's fields in the audit detail.
fn audit_detail(account: &Account) -> serde_json::Value {
    json!({
        "standing": status_word(account.status), "administrator": account.administrator,
        "display_name": account.display_name.as_ref().map(DisplayName::as_str),
        "email": account.email.as_ref().map(EmailAddress::as_str), "email_verified": account.email_verified,
        "reset_required": account.must_change_password,
    })
}

fn changed(before: &Account, change: &AccountChange) -> Account {
    let mut after = before.clone();
    if let Some(display_name) = &change.display_name {
        after.display_name.clone_from(display_name);
    }
    if let Some(email) = &change.email {
        // A new address is unverified.
        after.email_verified = before.email_verified && before.email == *email;
        after.email.clone_from(email);
    }
    after.email_verified = change.email_verified.unwrap_or(after.email_verified);
    after.status = change.status.unwrap_or(before.status);
    after.administrator = change.administrator.unwrap_or(before.administrator);
    after.must_change_password = change
        .must_change_password
        .unwrap_or(before.must_change_password);
    if after.status == AccountStatus::Deleted {
        // History needs the username, so it stays. The audit keeps the removed values.
        (after.display_name, after.email, after.email_verified) = (None, None, false);
    }
    after
}

async fn save(db: &mut Connection, account: &Account) -> Result<(), DbError> {
    const UPDATE: &str = "UPDATE accounts
        SET display_name = $2, email = $3, standing = $4, administrator = $5, search_key = $6, email_verified = $7,
        reset_required = $8 WHERE username = $1";
    let row = params![
        account.username.as_str(),
        account.display_name.as_ref().map(DisplayName::as_str),
        account.email.as_ref().map(EmailAddress::as_str),
        status_word(account.status),
        account.administrator,
        search_key(
            &account.username,
            account.display_name.as_ref(),
            account.email.as_ref()
        ),
        account.email_verified,
        account.must_change_password,
    ];
    db.execute(UPDATE, row).await.map(drop)
}
