//! Accounts: creation, change, credentials.

use auth::{
    Account, AccountChange, AccountStatus, Actor, DisplayName, EmailAddress, Invitation,
    NewAccount, PasswordHash, RealmId, Role, SecurityEpoch, SessionId, Username,
    audit::{AuditAction, NewAuditEntry},
    store::{ChangeRejected, Credentials, EndReason, InsertResult, PasswordWrite, SessionEnd},
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    account_events::{append, lock_administrators},
    audit,
    connection::Connection,
    error::{DbError, TxError},
    resets, roles, sessions, throttles,
    value::{Row, params},
};

pub(crate) const COLUMNS: &str = "a.username, a.display_name, a.email, a.email_verified, a.standing, a.administrator, \
    a.created_at, a.reset_required, a.era";

pub(crate) fn read(row: &mut Row) -> Result<Account, DbError> {
    Ok(Account {
        username: username(&row.text()?)?,
        display_name: row
            .opt_text()?
            .map(|raw| from_stored("display name", DisplayName::parse(&raw)))
            .transpose()?,
        email: row
            .opt_text()?
            .map(|raw| from_stored("e-mail", EmailAddress::parse(&raw)))
            .transpose()?,
        email_verified: row.boolean()?,
        status: parse_status(&row.text()?)?,
        administrator: row.boolean()?,
        created_at: row.time()?,
        must_change_password: row.boolean()?,
        epoch: SecurityEpoch::from_stored(row.int()?),
    })
}

pub(crate) fn username(raw: &str) -> Result<Username, DbError> {
    from_stored("username", Username::parse(raw))
}

fn from_stored<T, E: std::fmt::Display>(what: &str, parsed: Result<T, E>) -> Result<T, DbError> {
    parsed.map_err(|error| DbError::corrupt(format!("stored {what} is invalid: {error}")))
}

fn parse_status(raw: &str) -> Result<AccountStatus, DbError> {
    match raw {
        "active" => Ok(AccountStatus::Active),
        "disabled" => Ok(AccountStatus::Disabled),
        "deleted" => Ok(AccountStatus::Deleted),
        _ => Err(DbError::corrupt("stored account status is unknown")),
    }
}

fn status_word(standing: AccountStatus) -> &'static str {
    match standing {
        AccountStatus::Active => "active",
        AccountStatus::Disabled => "disabled",
        AccountStatus::Deleted => "deleted",
    }
}

/// Lowercase, so that both databases search without regard to case.
fn search_key(
    username: &Username,
    display_name: Option<&DisplayName>,
    email: Option<&EmailAddress>,
) -> String {
    let display_name = display_name.map_or("", DisplayName::as_str);
    let email = email.map_or("", EmailAddress::as_str);
    format!("{username}\n{display_name}\n{email}").to_lowercase()
}

#[derive(Debug)]
pub(crate) struct CreateAccount {
    pub(crate) new: NewAccount,
    pub(crate) roles: Vec<(RealmId, Role)>,
    pub(crate) by: Actor,
    /// The invitation that created the account.
    pub(crate) invite: Option<Invitation>,
}

pub(crate) async fn create(
    db: &mut Connection,
    create: &CreateAccount,
) -> Result<InsertResult, DbError> {
    let new = &create.new;
    if !insert(db, new).await? {
        return Ok(InsertResult::Duplicate);
    }
    throttles::reset_counts(db, &new.username).await?;
    for (realm, role) in &create.roles {
        roles::grant(db, &new.username, realm, *role).await?;
    }
    let roles: Vec<_> = create
        .roles
        .iter()
        .map(|(realm, role)| json!([realm.as_str(), role.as_str()]))
        .collect();
    let after = json!({
        "administrator": new.administrator, "roles": roles,
        "display_name": new.display_name.as_ref().map(DisplayName::as_str),
        "email": new.email.as_ref().map(EmailAddress::as_str),
    });
    let record = NewAuditEntry::new(&create.by, AuditAction::AccountCreated, new.created_at)
        .subject(new.username.as_str());
    let record = record.with_detail(|detail| match &create.invite {
        None => detail.change(json!({}), after),
        Some(invite) => detail
            .change(json!({}), after)
            .with("invite", invite.id.as_str())
            .with("invited_by", invite.by.username().as_str()),
    });
    audit::record(db, &record).await?;
    Ok(InsertResult::Inserted)
}

/// Returns false if the name is or was in use, or is the console's. An account of that name would
/// appear in the audit as the operator. Every creation of an account calls this function.
async fn insert(db: &mut Connection, new: &NewAccount) -> Result<bool, DbError> {
    const INSERT: &str = "INSERT INTO accounts
        (username, display_name, email, standing, administrator, password, created_at, search_key, email_verified)
        VALUES ($1, $2, $3, 'active', $4, $5, $6, $7, $8) ON CONFLICT (username) DO NOTHING";
    if new.username == Actor::console().username {
        return Ok(false);
    }
    let row = params![
        new.username.as_str(),
        new.display_name.as_ref().map(DisplayName::as_str),
        new.email.as_ref().map(EmailAddress::as_str),
        new.administrator,
        new.password.as_str(),
        new.created_at,
        search_key(&new.username, new.display_name.as_ref(), new.email.as_ref()),
        new.email_verified,
    ];
    Ok(db.execute(INSERT, row).await? == 1)
}

/// Returns `None` if an administrator exists.
pub(crate) async fn create_first(
    db: &mut Connection,
    (new, by): &(NewAccount, Actor),
) -> Result<Option<InsertResult>, DbError> {
    lock_administrators(db).await?;
    if has_administrator(db).await? {
        return Ok(None);
    }
    let new = NewAccount {
        administrator: true,
        ..new.clone()
    };
    self::create(
        db,
        &CreateAccount {
            new,
            roles: Vec::new(),
            by: by.clone(),
            invite: None,
        },
    )
    .await
    .map(Some)
}

pub(crate) async fn has_administrator(db: &mut Connection) -> Result<bool, DbError> {
    let any = "SELECT 1 FROM accounts WHERE administrator = 1 AND standing = 'active' LIMIT 1";
    Ok(db.find(any, &[]).await?.is_some())
}

pub(crate) async fn credentials(
    db: &mut Connection,
    username: &Username,
) -> Result<Option<Credentials>, DbError> {
    let select = format!("SELECT {COLUMNS}, a.password FROM accounts a WHERE a.username = $1");
    let row = db.find(&select, params![username.as_str()]).await?;
    let read = |mut row: Row| {
        Ok(Credentials {
            account: read(&mut row)?,
            password: PasswordHash::from_stored(&row.text()?),
        })
    };
    row.map(read).transpose()
}

/// One hash of each profile. The first seven characters of a bcrypt hash name its profile. For
/// Argon2id the profile is everything before salt and output, which are 66 characters with our
/// parameters and most others. With other lengths each hash counts as its own profile.
pub(crate) async fn hash_samples(db: &mut Connection) -> Result<Vec<PasswordHash>, DbError> {
    const SELECT: &str =
        "SELECT MIN(password) FROM accounts WHERE standing = 'active' GROUP BY CASE
        WHEN password LIKE $1 THEN substr(password, 1, 7)
        WHEN length(password) > 66 THEN substr(password, 1, length(password) - 66)
        ELSE password END";
    let rows = db.query(SELECT, params!["$2%"]).await?;
    rows.into_iter()
        .map(|mut row| Ok(PasswordHash::from_stored(&row.text()?)))
        .collect()
}

/// Locks the account's row until the commit.
pub(crate) async fn lock_row(
    db: &mut Connection,
    username: &Username,
) -> Result<Option<Account>, DbError> {
    let select = format!("SELECT {COLUMNS} FROM accounts a WHERE a.username = $1 FOR UPDATE");
    db.find(&select, params![username.as_str()])
        .await?
        .map(|mut row| read(&mut row))
        .transpose()
}

/// Voids every pending flow of the account. Locks its row until the commit.
pub(crate) async fn bump_epoch(
    db: &mut Connection,
    username: &Username,
    at: Timestamp,
) -> Result<(), DbError> {
    // The same rule as `SecurityEpoch::bump`.
    const BEGIN: &str =
        "UPDATE accounts SET era = CASE WHEN era < $2 THEN $2 ELSE era + 1 END WHERE username = $1";
    db.execute(BEGIN, params![username.as_str(), at])
        .await
        .map(drop)
}

/// [`bump_epoch`] for every account.
pub(crate) async fn bump_all_epochs(db: &mut Connection, at: Timestamp) -> Result<(), DbError> {
    const BEGIN: &str = "UPDATE accounts SET era = CASE WHEN era < $1 THEN $1 ELSE era + 1 END";
    db.execute(BEGIN, params![at]).await.map(drop)
}

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
            end: SessionEnd {
                reason: EndReason::EndedByAdministrator,
                by: request.by.clone(),
                at: request.at,
            },
        };
        sessions::revoke_all(db, &end).await?;
        after.epoch = after.epoch.bump(request.at);
    }
    let mut tokens_ended = None;
    if after.administrator && !before.administrator {
        let end = SessionEnd {
            reason: EndReason::EndedByAdministrator,
            by: request.by.clone(),
            at: request.at,
        };
        tokens_ended = Some(sessions::end_admin_tokens(db, &request.username, &end).await?)
            .filter(|ended| *ended > 0);
    }
    if after.status == AccountStatus::Deleted {
        erase(db, &request.username).await?;
    }
    let was_one = before.administrator && before.status == AccountStatus::Active;
    let is_one = after.administrator && after.status == AccountStatus::Active;
    if was_one && !is_one {
        // No other transaction can remove an administrator from here on, and this one is written
        // already.
        lock_administrators(db).await?;
        if !has_administrator(db).await? {
            return Err(ChangeRejected::LastAdministrator.into());
        }
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
