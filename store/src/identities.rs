//! Identities at upstream providers that sign in to local accounts.

use auth::{
    Actor, NewAccount, RealmId, Role, SecurityEpoch, Username,
    audit::{AuditAction, NewAuditEntry},
    store::{
        EndReason, Identity, IdentityStore, InsertResult, LinkResult, NewIdentity, SessionEnd,
        StoreResult,
    },
    upstream::identity_id,
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Store,
    account_events::append,
    accounts, audit,
    connection::Connection,
    error::{DbError, TxError},
    sessions,
    transaction::{read_tx, write_tx},
    value::{Row, params},
};

const COLUMNS: &str = "issuer, subject, provider, known_as, username, linked_at, last_used_at";

impl IdentityStore for Store {
    async fn identity(&self, issuer: &str, subject: &str) -> StoreResult<Option<Identity>> {
        read_tx!(self, (issuer.to_owned(), subject.to_owned()), find)
    }

    async fn identities_of(&self, username: &Username) -> StoreResult<Vec<Identity>> {
        read_tx!(self, username.clone(), identities_of)
    }

    async fn link_identity(
        &self,
        by: Actor,
        epoch: SecurityEpoch,
        new: NewIdentity,
        at: Timestamp,
    ) -> StoreResult<Option<InsertResult>> {
        write_tx!(self, (Link { by, new, at }, epoch), link_in_session)
    }

    async fn unlink_identity(&self, by: Actor, id: &str, at: Timestamp) -> StoreResult<bool> {
        write_tx!(
            self,
            Unlink {
                by,
                id: id.to_owned(),
                at
            },
            unlink
        )
    }

    async fn touch_identity(&self, issuer: &str, subject: &str, at: Timestamp) -> StoreResult<()> {
        write_tx!(
            self,
            Used {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
                at
            },
            used
        )
    }

    async fn create_linked_account(
        &self,
        new: NewAccount,
        roles: Vec<(RealmId, Role)>,
        identity: NewIdentity,
        by: Actor,
    ) -> StoreResult<LinkResult> {
        let create = CreateLinked {
            new,
            roles,
            identity,
            by,
        };
        // The new account is rolled back if the identity belongs to another account.
        match self
            .write(create, |db, create| Box::pin(create_linked(db, create)))
            .await
        {
            Ok(linked) => Ok(linked),
            Err(CreateLinkedError::Taken) => Ok(LinkResult::IdentityTaken),
            Err(CreateLinkedError::Failed(error)) => Err(error),
        }
    }
}

async fn find(
    db: &mut Connection,
    (issuer, subject): &(String, String),
) -> Result<Option<Identity>, DbError> {
    let select = format!("SELECT {COLUMNS} FROM identities WHERE issuer = $1 AND subject = $2");
    let row = db
        .find(&select, params![issuer.as_str(), subject.as_str()])
        .await?;
    row.map(|mut row| parse(&mut row)).transpose()
}

async fn identities_of(db: &mut Connection, username: &Username) -> Result<Vec<Identity>, DbError> {
    let select = format!(
        "SELECT {COLUMNS} FROM identities WHERE username = $1 ORDER BY provider, issuer, subject"
    );
    let rows = db.query(&select, params![username.as_str()]).await?;
    rows.into_iter().map(|mut row| parse(&mut row)).collect()
}

#[derive(Debug)]
struct Link {
    by: Actor,
    new: NewIdentity,
    at: Timestamp,
}

/// Locks the account: a transaction that ends the session later also finds the new identity.
async fn link_in_session(
    db: &mut Connection,
    (asked, epoch): &(Link, SecurityEpoch),
) -> Result<Option<InsertResult>, DbError> {
    if let Some(session) = asked.by.session() {
        let held = accounts::lock_row(db, &asked.by.username).await?;
        if held.is_none_or(|account| account.epoch != *epoch)
            || !sessions::is_live(db, &asked.by.username, session, asked.at).await?
        {
            return Ok(None);
        }
    }
    link(db, asked).await.map(Some)
}

async fn link(db: &mut Connection, link: &Link) -> Result<InsertResult, DbError> {
    const INSERT: &str =
        "INSERT INTO identities (issuer, subject, provider, known_as, username, linked_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issuer, subject) DO NOTHING";
    let (new, username) = (&link.new, link.by.username.as_str());
    let row = params![
        new.issuer.as_str(),
        new.subject.as_str(),
        new.provider.as_str(),
        new.display_hint.as_deref(),
        username,
        link.at,
    ];
    if db.execute(INSERT, row).await? == 0 {
        return Ok(InsertResult::Duplicate);
    }
    let after = json!({ "provider": new.provider, "issuer": new.issuer, "subject": new.subject });
    let record = NewAuditEntry::new(&link.by, AuditAction::ProviderLinked, link.at);
    audit::record(
        db,
        &record.with_detail(|detail| detail.change(json!({}), after)),
    )
    .await?;
    Ok(InsertResult::Inserted)
}

#[derive(Debug)]
struct Unlink {
    by: Actor,
    id: String,
    at: Timestamp,
}

fn unlink_entry(by: &Actor, identity: &Identity, at: Timestamp) -> NewAuditEntry {
    let before = json!({ "provider": identity.provider, "issuer": identity.issuer, "subject": identity.subject });
    NewAuditEntry::new(by, AuditAction::ProviderUnlinked, at)
        .with_detail(|detail| detail.change(before, json!({})))
}

/// Unlinks all identities of the account, on behalf of another actor.
pub(crate) async fn unlink_all(
    db: &mut Connection,
    username: &Username,
    by: &Actor,
    at: Timestamp,
) -> Result<(), DbError> {
    for identity in identities_of(db, username).await? {
        audit::record(
            db,
            &unlink_entry(by, &identity, at).subject(username.as_str()),
        )
        .await?;
    }
    db.execute(
        "DELETE FROM identities WHERE username = $1",
        params![username.as_str()],
    )
    .await
    .map(drop)
}

async fn unlink(db: &mut Connection, unlink: &Unlink) -> Result<bool, DbError> {
    const DELETE: &str =
        "DELETE FROM identities WHERE issuer = $1 AND subject = $2 AND username = $3";
    // A new session of the account waits for this lock, then sees the new epoch.
    accounts::lock_row(db, &unlink.by.username).await?;
    let theirs = identities_of(db, &unlink.by.username).await?;
    let Some(identity) = theirs
        .into_iter()
        .find(|one| identity_id(&one.issuer, &one.subject) == unlink.id)
    else {
        return Ok(false);
    };
    let username = unlink.by.username.as_str();
    let gone = db
        .execute(
            DELETE,
            params![
                identity.issuer.as_str(),
                identity.subject.as_str(),
                username
            ],
        )
        .await?;
    if gone == 0 {
        return Ok(false);
    }
    accounts::bump_epoch(db, &unlink.by.username, unlink.at).await?;
    let end = SessionEnd {
        reason: EndReason::EndedByOwner,
        by: unlink.by.clone(),
        at: unlink.at,
    };
    let (username, keep) = (unlink.by.username.clone(), unlink.by.session().cloned());
    let ended = sessions::end_upstream_sessions(
        db,
        &sessions::EndSessions {
            username,
            keep,
            end,
        },
    )
    .await?;
    append(db, &unlink.by.username).await?;
    let ended = (ended > 0).then_some(ended);
    let record = unlink_entry(&unlink.by, &identity, unlink.at);
    audit::record(
        db,
        &record.with_detail(|detail| detail.with("sessions_ended", ended)),
    )
    .await?;
    Ok(true)
}

#[derive(Debug)]
struct Used {
    issuer: String,
    subject: String,
    at: Timestamp,
}

async fn used(db: &mut Connection, used: &Used) -> Result<(), DbError> {
    let update = "UPDATE identities SET last_used_at = $3 WHERE issuer = $1 AND subject = $2";
    db.execute(
        update,
        params![used.issuer.as_str(), used.subject.as_str(), used.at],
    )
    .await
    .map(drop)
}

#[derive(Debug)]
struct CreateLinked {
    new: NewAccount,
    roles: Vec<(RealmId, Role)>,
    identity: NewIdentity,
    by: Actor,
}

/// The reason why no account was created with that identity.
#[derive(Debug)]
enum CreateLinkedError {
    Taken,
    Failed(auth::StoreUnavailable),
}

impl From<DbError> for CreateLinkedError {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

async fn create_linked(
    db: &mut Connection,
    create: &CreateLinked,
) -> Result<LinkResult, TxError<CreateLinkedError>> {
    let new = create.new.clone();
    let (by, at) = (create.by.clone(), new.created_at);
    let account = accounts::CreateAccount {
        new,
        roles: create.roles.clone(),
        by: by.clone(),
        invite: None,
    };
    if accounts::create(db, &account).await? == InsertResult::Duplicate {
        return Ok(LinkResult::UsernameTaken);
    }
    match link(
        db,
        &Link {
            by,
            new: create.identity.clone(),
            at,
        },
    )
    .await?
    {
        InsertResult::Inserted => Ok(LinkResult::Linked),
        InsertResult::Duplicate => Err(TxError::Rejected(CreateLinkedError::Taken)),
    }
}

fn parse(row: &mut Row) -> Result<Identity, DbError> {
    Ok(Identity {
        issuer: row.text()?,
        subject: row.text()?,
        provider: row.text()?,
        display_hint: row.opt_text()?,
        username: accounts::username(&row.text()?)?,
        linked_at: row.time()?,
        last_used_at: row.opt_time()?,
    })
}
