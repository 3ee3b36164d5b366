//! Roles of accounts in realms, and lists of accounts with their roles.

use std::collections::BTreeMap;

use auth::{
    Account, AccountStatus, Actor, FactorKind, FactorKinds, Realm, RealmId, RealmName, Role,
    Username,
    audit::{AuditAction, NewAuditEntry},
    store::{AccountFilter, AccountQuery, ChangeRejected, Member},
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    account_events::append,
    accounts, audit,
    connection::Connection,
    error::{DbError, TxError},
    groups,
    listing::like,
    value::{Row, Value, numbered, params},
};

#[derive(Debug)]
pub(crate) struct SetRole {
    pub(crate) username: Username,
    pub(crate) realm: RealmId,
    /// `None` removes the role.
    pub(crate) role: Option<Role>,
    pub(crate) by: Actor,
    pub(crate) at: Timestamp,
}

pub(crate) async fn set(db: &mut Connection, set: &SetRole) -> Result<(), TxError<ChangeRejected>> {
    let (username, realm) = (&set.username, &set.realm);
    match accounts::lock_row(db, username).await? {
        Some(account) if account.status != AccountStatus::Deleted => {}
        _ => return Err(ChangeRejected::NoSuchAccount.into()),
    }
    let before = role_of(db, username, realm).await?;
    if let Some(role) = set.role {
        grant(db, username, realm, role).await?;
    } else {
        let delete = "DELETE FROM members WHERE vault_id = $1 AND username = $2";
        db.execute(delete, params![realm.as_str(), username.as_str()])
            .await?;
    }
    append(db, username).await?;
    let (before, after) = (
        json!({ "role": before }),
        json!({ "role": set.role.map(Role::as_str) }),
    );
    let record =
        NewAuditEntry::new(&set.by, AuditAction::RoleChanged, set.at).subject(username.as_str());
    let record =
        record.with_detail(|detail| detail.change(before, after).with("realm", realm.as_str()));
    Ok(audit::record(db, &record).await?)
}

async fn role_of(
    db: &mut Connection,
    username: &Username,
    realm: &RealmId,
) -> Result<Option<String>, DbError> {
    let select = "SELECT role FROM members WHERE vault_id = $1 AND username = $2";
    let row = db
        .find(select, params![realm.as_str(), username.as_str()])
        .await?;
    row.map(|mut row| row.text()).transpose()
}

pub(crate) async fn grant(
    db: &mut Connection,
    username: &Username,
    realm: &RealmId,
    role: Role,
) -> Result<(), DbError> {
    const GRANT: &str = "INSERT INTO members (vault_id, username, role) VALUES ($1, $2, $3)
        ON CONFLICT (vault_id, username) DO UPDATE SET role = excluded.role";
    db.execute(
        GRANT,
        params![realm.as_str(), username.as_str(), role.as_str()],
    )
    .await
    .map(drop)
}

pub(crate) async fn member(
    db: &mut Connection,
    username: &Username,
) -> Result<Option<Member>, DbError> {
    let select = format!(
        "SELECT {}, {MORE} FROM accounts a WHERE a.username = $1",
        accounts::COLUMNS
    );
    let rows = db.query(&select, params![username.as_str()]).await?;
    Ok(with_roles(db, rows).await?.pop())
}

/// By username, without deleted accounts.
pub(crate) async fn members(
    db: &mut Connection,
    query: &AccountQuery,
) -> Result<Vec<Member>, DbError> {
    let mut params = params![
        query.limit,
        query.after.as_ref().map_or("", Username::as_str)
    ]
    .to_vec();
    let mut wanted = query
        .filter
        .map_or_else(String::new, |among| format!("AND {}", condition(among)));
    if let Some(sought) = &query.search {
        wanted += r" AND a.search_key LIKE $3 ESCAPE '\'";
        params.push(Value::from(like(&sought.to_lowercase())));
    }
    let select = format!(
        "SELECT {}, {MORE} FROM accounts a WHERE a.username > $2 AND a.standing <> 'deleted' {wanted}
        ORDER BY a.username LIMIT $1",
        accounts::COLUMNS
    );
    let rows = db.query(&select, &params).await?;
    with_roles(db, rows).await
}

fn condition(among: AccountFilter) -> String {
    match among {
        AccountFilter::Active => "a.standing = 'active'".to_owned(),
        AccountFilter::Disabled => "a.standing = 'disabled'".to_owned(),
        AccountFilter::Administrators => "a.administrator = 1".to_owned(),
        AccountFilter::WithoutSecondFactor => {
            "a.standing = 'active' AND NOT EXISTS (SELECT 1 FROM factors f
            WHERE f.username = a.username AND f.kind IN ('totp', 'passkey'))"
                .to_owned()
        }
        AccountFilter::LockedOut => format!(
            "EXISTS (SELECT 1 FROM throttles t WHERE t.username = a.username AND t.failures >= {})",
            AccountFilter::LOCKOUT_THRESHOLD
        ),
        AccountFilter::MustChangePassword => "a.reset_required = 1".to_owned(),
    }
}

/// The columns of a list after the account's own.
const MORE: &str = "(SELECT MAX(s.last_seen) FROM sessions s WHERE s.username = a.username),
    (SELECT MAX(p.last_at) FROM sign_in_history p WHERE p.username = a.username),
    (SELECT COUNT(*) FROM factors f WHERE f.username = a.username AND f.kind = 'totp'),
    (SELECT COUNT(*) FROM factors f WHERE f.username = a.username AND f.kind = 'passkey')";

/// Adds the roles to accounts that are sorted by username.
async fn with_roles(db: &mut Connection, rows: Vec<Row>) -> Result<Vec<Member>, DbError> {
    let read = |mut row: Row| {
        let (account, last_seen, last_sign_in) =
            (accounts::read(&mut row)?, row.opt_time()?, row.opt_time()?);
        let (roles, groups) = (Vec::new(), Vec::new());
        Ok(Member {
            account,
            roles,
            groups,
            factors: read_factors(&mut row)?,
            last_seen,
            last_sign_in,
        })
    };
    let mut members = rows
        .into_iter()
        .map(read)
        .collect::<Result<Vec<_>, DbError>>()?;
    let names: Vec<Value> = members
        .iter()
        .map(|member| Value::from(member.account.username.as_str()))
        .collect();
    if names.is_empty() {
        return Ok(members);
    }
    let mut roles = roles_of(db, &names).await?;
    let mut memberships = groups::groups_of(db, &names).await?;
    for member in &mut members {
        member.roles = roles
            .remove(member.account.username.as_str())
            .unwrap_or_default();
        member.groups = memberships
            .remove(member.account.username.as_str())
            .unwrap_or_default();
    }
    Ok(members)
}

fn read_factors(row: &mut Row) -> Result<FactorKinds, DbError> {
    let counted = [
        (FactorKind::Totp, row.int()?),
        (FactorKind::Passkey, row.int()?),
    ];
    Ok(FactorKinds::of(
        counted
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(kind, _)| kind),
    ))
}

async fn roles_of(
    db: &mut Connection,
    names: &[Value],
) -> Result<BTreeMap<String, Vec<(RealmId, Role)>>, DbError> {
    let select = format!(
        "SELECT username, vault_id, role FROM members WHERE username IN ({}) ORDER BY username, vault_id",
        numbered(names.len())
    );
    let mut roles: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for mut row in db.query(&select, names).await? {
        let (username, realm, role) = (row.text()?, row.text()?, row.text()?);
        roles
            .entry(username)
            .or_default()
            .push((RealmId::new(&realm), parse_role(&role)?));
    }
    Ok(roles)
}

/// Active accounts with a role in the realm, by username.
pub(crate) async fn members_of(
    db: &mut Connection,
    realm: &RealmId,
) -> Result<Vec<(Account, Role)>, DbError> {
    let select = format!(
        "SELECT {}, m.role FROM members m JOIN accounts a ON a.username = m.username
        WHERE m.vault_id = $1 AND a.standing = 'active' ORDER BY m.username",
        accounts::COLUMNS
    );
    let rows = db.query(&select, params![realm.as_str()]).await?;
    rows.into_iter()
        .map(|mut row| Ok((accounts::read(&mut row)?, parse_role(&row.text()?)?)))
        .collect()
}

pub(crate) fn parse_role(raw: &str) -> Result<Role, DbError> {
    Role::parse(raw).ok_or_else(|| DbError::corrupt("stored role is unknown"))
}

/// Every vault, by name.
pub(crate) async fn realms(db: &mut Connection) -> Result<Vec<Realm>, DbError> {
    let rows = db
        .query("SELECT vault_id, name FROM vaults ORDER BY name", &[])
        .await?;
    rows.into_iter().map(read_realm).collect()
}

pub(crate) fn read_realm(mut row: Row) -> Result<Realm, DbError> {
    let id = RealmId::new(&row.text()?);
    let name = RealmName::parse(&row.text()?)
        .map_err(|error| DbError::corrupt(format!("stored vault name is invalid: {error}")))?;
    Ok(Realm { id, name })
}
