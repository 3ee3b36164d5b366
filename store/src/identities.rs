//! Accounts at upstream providers that open ours.

use auth::{
    Actor, Era, NewAccount, RealmId, Role, Username,
    audit::{Deed, Record},
    store::{Answer, End, EndReason, Identity, IdentityStore, Inserted, Linked, NewIdentity},
    upstream::identity_id,
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Store,
    account_log::announce,
    accounts, audit,
    auth_store::{read, write},
    connection::Connection,
    error::{DbError, Stop},
    sessions,
    value::{Row, params},
};

const COLUMNS: &str = "issuer, subject, provider, known_as, username, linked_at, last_used_at";

impl IdentityStore for Store {
    async fn identity(&self, issuer: &str, subject: &str) -> Answer<Option<Identity>> {
        read!(self, (issuer.to_owned(), subject.to_owned()), find)
    }

    async fn identities_of(&self, username: &Username) -> Answer<Vec<Identity>> {
        read!(self, username.clone(), of)
    }

    async fn link_identity(
        &self,
        by: Actor,
        era: Era,
        new: NewIdentity,
        at: Timestamp,
    ) -> Answer<Option<Inserted>> {
        write!(self, (Link { by, new, at }, era), link_in_session)
    }

    async fn unlink_identity(&self, by: Actor, id: &str, at: Timestamp) -> Answer<bool> {
        write!(
            self,
            Unlink {
                by,
                id: id.to_owned(),
                at
            },
            unlink
        )
    }

    async fn identity_used(&self, issuer: &str, subject: &str, at: Timestamp) -> Answer<()> {
        write!(
            self,
            Used {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
                at
            },
            used
        )
    }

    async fn create_linked(
        &self,
        new: NewAccount,
        roles: Vec<(RealmId, Role)>,
        identity: NewIdentity,
        by: Actor,
    ) -> Answer<Linked> {
        let create = CreateLinked {
            new,
            roles,
            identity,
            by,
        };
        // The account is taken back where the identity turns out to be somebody's.
        match self
            .write(create, |db, create| Box::pin(create_linked(db, create)))
            .await
        {
            Ok(linked) => Ok(linked),
            Err(NotBoth::Taken) => Ok(Linked::IdentityTaken),
            Err(NotBoth::Failed(error)) => Err(error),
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

async fn of(db: &mut Connection, username: &Username) -> Result<Vec<Identity>, DbError> {
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

/// The account is held, so that whoever ends the session from here on finds what it has joined.
async fn link_in_session(
    db: &mut Connection,
    (asked, era): &(Link, Era),
) -> Result<Option<Inserted>, DbError> {
    if let Some(session) = asked.by.session() {
        let held = accounts::hold(db, &asked.by.username).await?;
        if held.is_none_or(|account| account.era != *era)
            || !sessions::lives(db, &asked.by.username, session, asked.at).await?
        {
            return Ok(None);
        }
    }
    link(db, asked).await.map(Some)
}

async fn link(db: &mut Connection, link: &Link) -> Result<Inserted, DbError> {
    const INSERT: &str =
        "INSERT INTO identities (issuer, subject, provider, known_as, username, linked_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issuer, subject) DO NOTHING";
    let (new, username) = (&link.new, link.by.username.as_str());
    let row = params![
        new.issuer.as_str(),
        new.subject.as_str(),
        new.provider.as_str(),
        new.known_as.as_deref(),
        username,
        link.at,
    ];
    if db.execute(INSERT, row).await? == 0 {
        return Ok(Inserted::Taken);
    }
    let after = json!({ "provider": new.provider, "issuer": new.issuer, "subject": new.subject });
    let record = Record::new(&link.by, Deed::ProviderLinked, link.at);
    audit::record(
        db,
        &record.detailed(|detail| detail.change(json!({}), after)),
    )
    .await?;
    Ok(Inserted::Done)
}

#[derive(Debug)]
struct Unlink {
    by: Actor,
    id: String,
    at: Timestamp,
}

fn unlinked(by: &Actor, identity: &Identity, at: Timestamp) -> Record {
    let before = json!({ "provider": identity.provider, "issuer": identity.issuer, "subject": identity.subject });
    Record::new(by, Deed::ProviderUnlinked, at).detailed(|detail| detail.change(before, json!({})))
}

/// Whatever is joined to that account, by somebody else.
pub(crate) async fn unlink_all(
    db: &mut Connection,
    username: &Username,
    by: &Actor,
    at: Timestamp,
) -> Result<(), DbError> {
    for identity in of(db, username).await? {
        audit::record(db, &unlinked(by, &identity, at).about(username.as_str())).await?;
    }
    db.execute(
        "DELETE FROM identities WHERE username = $1",
        params![username.as_str()],
    )
    .await
    .map(drop)
}

async fn unlink(db: &mut Connection, asked: &Unlink) -> Result<bool, DbError> {
    const DELETE: &str =
        "DELETE FROM identities WHERE issuer = $1 AND subject = $2 AND username = $3";
    // Whoever begins a session of the account waits, and then sees the new era.
    accounts::hold(db, &asked.by.username).await?;
    let theirs = of(db, &asked.by.username).await?;
    let Some(identity) = theirs
        .into_iter()
        .find(|one| identity_id(&one.issuer, &one.subject) == asked.id)
    else {
        return Ok(false);
    };
    let username = asked.by.username.as_str();
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
    accounts::begin_era(db, &asked.by.username, asked.at).await?;
    let end = End {
        why: EndReason::EndedByOwner,
        by: asked.by.clone(),
        at: asked.at,
    };
    let (username, keep) = (asked.by.username.clone(), asked.by.session().cloned());
    let ended = sessions::end_those_of_providers(
        db,
        &sessions::EndAll {
            username,
            keep,
            end,
        },
    )
    .await?;
    announce(db, &asked.by.username).await?;
    let ended = (ended > 0).then_some(ended);
    let record = unlinked(&asked.by, &identity, asked.at);
    audit::record(
        db,
        &record.detailed(|detail| detail.fact("sessions_ended", ended)),
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

/// Why there is no account with that identity.
#[derive(Debug)]
enum NotBoth {
    Taken,
    Failed(auth::Unavailable),
}

impl From<DbError> for NotBoth {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

async fn create_linked(
    db: &mut Connection,
    create: &CreateLinked,
) -> Result<Linked, Stop<NotBoth>> {
    let new = create.new.clone();
    let (by, at) = (create.by.clone(), new.created_at);
    let account = accounts::Create {
        new,
        roles: create.roles.clone(),
        by: by.clone(),
        invite: None,
    };
    if accounts::create(db, &account).await? == Inserted::Taken {
        return Ok(Linked::NameTaken);
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
        Inserted::Done => Ok(Linked::Done),
        Inserted::Taken => Err(Stop::Refused(NotBoth::Taken)),
    }
}

fn parse(row: &mut Row) -> Result<Identity, DbError> {
    Ok(Identity {
        issuer: row.text()?,
        subject: row.text()?,
        provider: row.text()?,
        known_as: row.text_or_null()?,
        username: accounts::username(&row.text()?)?,
        linked_at: row.time()?,
        last_used_at: row.time_or_null()?,
    })
}
