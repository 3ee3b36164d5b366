//! Creating an account, and the first administrator.

use auth::{
    Actor, DisplayName, EmailAddress, Invitation, NewAccount, RealmId, Role,
    audit::{AuditAction, NewAuditEntry},
    store::InsertResult,
};
use serde_json::json;

use super::rows::{has_administrator, search_key};
use crate::{
    account_events::lock_administrators, audit, connection::Connection, error::DbError, roles,
    throttles, value::params,
};

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
