//! Groups: their members and their roles.

use std::collections::BTreeMap;

mod invited;

use auth::{
    Account, AccountStatus, Actor, Group, GroupName, RealmId, Role, Username,
    audit::{AuditAction, AuditDetail, NewAuditEntry},
    store::{GroupChange, GroupRejected, GroupStore, InsertResult, Membership, StoreResult},
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Store,
    account_events::append,
    accounts, audit,
    connection::Connection,
    error::{DbError, TxError},
    roles::parse_role,
    transaction::{read_tx, write_tx},
    value::{Row, Value, numbered, params},
};

pub(crate) use invited::add_invited;

impl GroupStore for Store {
    async fn groups(&self) -> StoreResult<Vec<Group>> {
        self.read((), |db, ()| Box::pin(async move { Ok(list(db).await?) }))
            .await
    }

    async fn group(&self, name: &GroupName) -> StoreResult<Option<Group>> {
        read_tx!(self, name.clone(), find)
    }

    async fn create_group(
        &self,
        name: &GroupName,
        by: Actor,
        at: Timestamp,
    ) -> StoreResult<InsertResult> {
        write_tx!(
            self,
            GroupOp {
                name: name.clone(),
                by,
                at
            },
            create
        )
    }

    async fn change_group(
        &self,
        name: &GroupName,
        change: GroupChange,
        by: Actor,
        at: Timestamp,
    ) -> Result<(), GroupRejected> {
        let change = (
            GroupOp {
                name: name.clone(),
                by,
                at,
            },
            change,
        );
        self.write(change, |db, (doing, change)| {
            Box::pin(self::change(db, doing, change))
        })
        .await
    }

    async fn groups_in(&self, realm: &RealmId) -> StoreResult<Vec<(GroupName, Role)>> {
        read_tx!(self, realm.clone(), groups_in)
    }

    async fn members_via_groups(
        &self,
        realm: &RealmId,
    ) -> StoreResult<Vec<(Account, GroupName, Role)>> {
        read_tx!(self, realm.clone(), members_via_groups)
    }
}

/// The group, and the actor who changes it.
#[derive(Debug)]
struct GroupOp {
    name: GroupName,
    by: Actor,
    at: Timestamp,
}

async fn list(db: &mut Connection) -> Result<Vec<Group>, DbError> {
    let rows = db
        .query(
            "SELECT name, created_at FROM account_groups ORDER BY name",
            &[],
        )
        .await?;
    let mut groups = BTreeMap::new();
    for mut row in rows {
        let (name, created_at) = (group_name(&row.text()?)?, row.time()?);
        groups.insert(
            name.clone(),
            Group {
                name,
                members: Vec::new(),
                roles: Vec::new(),
                created_at,
            },
        );
    }
    for mut row in db.query(&in_groups(""), &[]).await? {
        if let Some(group) = groups.get_mut(&group_name(&row.text()?)?) {
            group.members.push(accounts::username(&row.text()?)?);
        }
    }
    for mut row in db
        .query(
            "SELECT name, vault_id, role FROM group_roles ORDER BY name, vault_id",
            &[],
        )
        .await?
    {
        if let Some(group) = groups.get_mut(&group_name(&row.text()?)?) {
            group.roles.push(read_role(&mut row)?);
        }
    }
    Ok(groups.into_values().collect())
}

fn in_groups(which: &str) -> String {
    format!(
        "SELECT g.name, g.username FROM group_members g JOIN accounts a ON a.username = g.username
        WHERE a.standing <> 'deleted' {which} ORDER BY g.name, g.username"
    )
}

async fn find(db: &mut Connection, name: &GroupName) -> Result<Option<Group>, DbError> {
    const SELECT: &str = "SELECT created_at FROM account_groups WHERE name = $1";
    const ROLES: &str = "SELECT vault_id, role FROM group_roles WHERE name = $1 ORDER BY vault_id";
    let Some(mut row) = db.find(SELECT, params![name.as_str()]).await? else {
        return Ok(None);
    };
    let roles = db
        .query(ROLES, params![name.as_str()])
        .await?
        .into_iter()
        .map(|mut row| read_role(&mut row));
    let (created_at, roles) = (row.time()?, roles.collect::<Result<_, _>>()?);
    Ok(Some(Group {
        name: name.clone(),
        members: members(db, name).await?,
        roles,
        created_at,
    }))
}

async fn members(db: &mut Connection, name: &GroupName) -> Result<Vec<Username>, DbError> {
    let rows = db
        .query(&in_groups("AND g.name = $1"), params![name.as_str()])
        .await?;
    let second = |mut row: Row| {
        row.text()?;
        accounts::username(&row.text()?)
    };
    rows.into_iter().map(second).collect()
}

async fn create(db: &mut Connection, doing: &GroupOp) -> Result<InsertResult, DbError> {
    const INSERT: &str = "INSERT INTO account_groups (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    if db
        .execute(INSERT, params![doing.name.as_str(), doing.at])
        .await?
        == 0
    {
        return Ok(InsertResult::Duplicate);
    }
    record(db, doing, AuditAction::GroupCreated, |detail| detail).await?;
    Ok(InsertResult::Inserted)
}

async fn change(
    db: &mut Connection,
    doing: &GroupOp,
    change: &GroupChange,
) -> Result<(), TxError<GroupRejected>> {
    // Locked until the commit, so that its members do not change while its roles do.
    let hold = "SELECT 1 FROM account_groups WHERE name = $1 FOR UPDATE";
    if db.find(hold, params![doing.name.as_str()]).await?.is_none() {
        return Err(TxError::Rejected(GroupRejected::NoSuchGroup));
    }
    match change {
        GroupChange::Add(username) => {
            exists(db, username).await?;
            Ok(set_member(db, doing, username, MemberOp::In).await?)
        }
        GroupChange::Remove(username) => {
            exists(db, username).await?;
            Ok(set_member(db, doing, username, MemberOp::Out).await?)
        }
        GroupChange::Role(realm, role) => Ok(set_role(db, doing, realm, *role).await?),
        GroupChange::Delete => Ok(delete(db, doing).await?),
    }
}

async fn exists(db: &mut Connection, username: &Username) -> Result<(), TxError<GroupRejected>> {
    match accounts::lock_row(db, username).await? {
        Some(account) if account.status != AccountStatus::Deleted => Ok(()),
        _ => Err(TxError::Rejected(GroupRejected::NoSuchAccount)),
    }
}

#[derive(Clone, Copy)]
enum MemberOp {
    In,
    Out,
}

async fn set_member(
    db: &mut Connection,
    doing: &GroupOp,
    username: &Username,
    to: MemberOp,
) -> Result<(), DbError> {
    let sql = match to {
        MemberOp::In => {
            "INSERT INTO group_members (username, name) VALUES ($1, $2) ON CONFLICT (username, name) DO NOTHING"
        }
        MemberOp::Out => "DELETE FROM group_members WHERE username = $1 AND name = $2",
    };
    if db
        .execute(sql, params![username.as_str(), doing.name.as_str()])
        .await?
        == 0
    {
        return Ok(());
    }
    append(db, username).await?;
    let (out, in_it) = (json!({}), json!({ "member": username.as_str() }));
    let (before, after) = match to {
        MemberOp::In => (out, in_it),
        MemberOp::Out => (in_it, out),
    };
    record(db, doing, AuditAction::GroupChanged, |detail| {
        detail.change(before, after)
    })
    .await
}

async fn set_role(
    db: &mut Connection,
    doing: &GroupOp,
    realm: &RealmId,
    role: Option<Role>,
) -> Result<(), DbError> {
    const SELECT: &str = "SELECT role FROM group_roles WHERE name = $1 AND vault_id = $2";
    const GRANT: &str = "INSERT INTO group_roles (name, vault_id, role) VALUES ($1, $2, $3)
        ON CONFLICT (name, vault_id) DO UPDATE SET role = excluded.role";
    const TAKE: &str = "DELETE FROM group_roles WHERE name = $1 AND vault_id = $2";
    let (name, vault) = (doing.name.as_str(), realm.as_str());
    let before = db
        .find(SELECT, params![name, vault])
        .await?
        .map(|mut row| row.text())
        .transpose()?;
    let after = role.map(Role::as_str);
    if before.as_deref() == after {
        return Ok(());
    }
    match after {
        Some(role) => db.execute(GRANT, params![name, vault, role]).await?,
        None => db.execute(TAKE, params![name, vault]).await?,
    };
    append_for_members(db, &doing.name).await?;
    let (before, after) = (json!({ "role": before }), json!({ "role": after }));
    record(db, doing, AuditAction::GroupChanged, |detail| {
        detail.change(before, after).with("realm", vault)
    })
    .await
}

async fn delete(db: &mut Connection, doing: &GroupOp) -> Result<(), DbError> {
    let name = params![doing.name.as_str()];
    let Some(gone) = find(db, &doing.name).await? else {
        return Ok(());
    };
    append_for_members(db, &doing.name).await?;
    db.execute("DELETE FROM group_members WHERE name = $1", name)
        .await?;
    db.execute("DELETE FROM group_roles WHERE name = $1", name)
        .await?;
    db.execute("DELETE FROM account_groups WHERE name = $1", name)
        .await?;
    let members: Vec<_> = gone.members.iter().map(Username::as_str).collect();
    let roles: Vec<_> = gone
        .roles
        .iter()
        .map(|(realm, role)| json!([realm.as_str(), role.as_str()]))
        .collect();
    let before = json!({ "members": members, "roles": roles });
    record(db, doing, AuditAction::GroupDeleted, |detail| {
        detail.change(before, json!({}))
    })
    .await
}

async fn append_for_members(db: &mut Connection, name: &GroupName) -> Result<(), DbError> {
    for username in members(db, name).await? {
        append(db, &username).await?;
    }
    Ok(())
}

async fn record(
    db: &mut Connection,
    doing: &GroupOp,
    action: AuditAction,
    add: impl FnOnce(AuditDetail) -> AuditDetail,
) -> Result<(), DbError> {
    let record = NewAuditEntry::new(&doing.by, action, doing.at).subject(doing.name.as_str());
    audit::record(db, &record.with_detail(add)).await
}

async fn groups_in(
    db: &mut Connection,
    realm: &RealmId,
) -> Result<Vec<(GroupName, Role)>, DbError> {
    let select = "SELECT name, role FROM group_roles WHERE vault_id = $1 ORDER BY name";
    let rows = db.query(select, params![realm.as_str()]).await?;
    rows.into_iter()
        .map(|mut row| Ok((group_name(&row.text()?)?, parse_role(&row.text()?)?)))
        .collect()
}

async fn members_via_groups(
    db: &mut Connection,
    realm: &RealmId,
) -> Result<Vec<(Account, GroupName, Role)>, DbError> {
    let select = format!(
        "SELECT {}, r.name, r.role FROM group_roles r JOIN group_members g ON g.name = r.name
        JOIN accounts a ON a.username = g.username
        WHERE r.vault_id = $1 AND a.standing = 'active' ORDER BY a.username, r.name",
        accounts::COLUMNS
    );
    let rows = db.query(&select, params![realm.as_str()]).await?;
    let read = |mut row: Row| {
        Ok((
            accounts::read(&mut row)?,
            group_name(&row.text()?)?,
            parse_role(&row.text()?)?,
        ))
    };
    rows.into_iter().map(read).collect()
}

/// The groups of the accounts from `first` to `last` by name, each with its roles.
pub(crate) async fn groups_of(
    db: &mut Connection,
    names: &[Value],
) -> Result<BTreeMap<String, Vec<Membership>>, DbError> {
    let select = format!(
        "SELECT g.username, g.name, r.vault_id, r.role FROM group_members g LEFT JOIN group_roles r ON r.name = g.name
        WHERE g.username IN ({}) ORDER BY g.username, g.name, r.vault_id",
        numbered(names.len())
    );
    let mut found: BTreeMap<String, Vec<Membership>> = BTreeMap::new();
    for mut row in db.query(&select, names).await? {
        let groups = found.entry(row.text()?).or_default();
        let name = group_name(&row.text()?)?;
        let role = match (row.opt_text()?, row.opt_text()?) {
            (Some(realm), Some(role)) => Some((RealmId::new(&realm), parse_role(&role)?)),
            _ => None,
        };
        match groups.last_mut().filter(|last| last.group == name) {
            Some(last) => last.roles.extend(role),
            None => groups.push(Membership {
                group: name,
                roles: role.into_iter().collect(),
            }),
        }
    }
    Ok(found)
}

fn read_role(row: &mut Row) -> Result<(RealmId, Role), DbError> {
    Ok((RealmId::new(&row.text()?), parse_role(&row.text()?)?))
}

fn group_name(raw: &str) -> Result<GroupName, DbError> {
    GroupName::parse(raw)
        .map_err(|error| DbError::corrupt(format!("stored group name is invalid: {error}")))
}
