//! The row of an account: its columns, its lock, its epoch.

use auth::{Account, AccountStatus, DisplayName, EmailAddress, SecurityEpoch, Username};
use jiff::Timestamp;

use crate::{
    connection::Connection,
    error::DbError,
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

pub(super) fn status_word(standing: AccountStatus) -> &'static str {
    match standing {
        AccountStatus::Active => "active",
        AccountStatus::Disabled => "disabled",
        AccountStatus::Deleted => "deleted",
    }
}

/// Lowercase, so that both databases search without regard to case.
pub(super) fn search_key(
    username: &Username,
    display_name: Option<&DisplayName>,
    email: Option<&EmailAddress>,
) -> String {
    let display_name = display_name.map_or("", DisplayName::as_str);
    let email = email.map_or("", EmailAddress::as_str);
    format!("{username}\n{display_name}\n{email}").to_lowercase()
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

pub(crate) async fn has_administrator(db: &mut Connection) -> Result<bool, DbError> {
    let any = "SELECT 1 FROM accounts WHERE administrator = 1 AND standing = 'active' LIMIT 1";
    Ok(db.find(any, &[]).await?.is_some())
}
