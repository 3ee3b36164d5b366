//! Revisions, changes and events: inserted once, never updated.

use auth::Actor;
use vault::{
    Blob, Command, Effect, Event, EventAction, File, FileId, Filename, Revision, RevisionKind,
    UserText, VaultId, history::Author, store::NewRevision,
};

use crate::{
    accounts::username,
    connection::Connection,
    error::DbError,
    files::{self, size, size_value},
    json_rows::{self, EventBody, blob_id},
    value::{Row, params},
};

const COLUMNS: &str = "file_id, revision, change, kind, name, moved_from, oid, size, author, author_name, author_email,
    at, comment";

/// The data of a revision besides its own row.
#[derive(Debug)]
pub(crate) struct RecordedChange<'a> {
    pub(crate) command: &'a Command,
    pub(crate) effect: &'a Effect,
    /// Includes the number of the change.
    pub(crate) after: &'a File,
}

pub(crate) async fn add_revision(
    db: &mut Connection,
    recorded: &RecordedChange<'_>,
    new: &NewRevision,
) -> Result<(), DbError> {
    const INSERT: &str =
        "INSERT INTO revisions (vault_id, file_id, revision, change, kind, name, moved_from, oid, size,
        author, author_name, author_email, at, comment)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let (command, after) = (recorded.command, recorded.after);
    let blob = (!after.deleted).then_some(&after.blob);
    let author = Author::of(&command.by);
    let row = params![
        command.vault.as_str(),
        after.id.as_str(),
        after.revision,
        after.change,
        new.kind.as_str(),
        after.name.as_str(),
        recorded.effect.moved_from.as_ref().map(Filename::as_str),
        blob.map(|blob| blob.id.as_str()),
        blob.map(|blob| size_value(blob.size)).transpose()?,
        author.username.as_str(),
        author.name,
        author.email,
        command.at,
        new.comment.as_str(),
    ];
    db.execute(INSERT, row).await.map(drop)
}

fn read(mut row: Row) -> Result<Revision, DbError> {
    Ok(Revision {
        file: FileId::new(&row.text()?),
        revision: row.int()?,
        change: row.int()?,
        kind: RevisionKind::parse(&row.text()?)
            .ok_or_else(|| DbError::corrupt("stored revision kind is unknown"))?,
        name: Filename::from_stored(&row.text()?),
        moved_from: row.opt_text()?.map(|name| Filename::from_stored(&name)),
        blob: read_blob(row.opt_text()?, row.opt_int()?)?,
        author: Author {
            username: username(&row.text()?)?,
            name: row.text()?,
            email: row.text()?,
        },
        at: row.time()?,
        comment: UserText::from_stored(row.text()?),
    })
}

fn read_blob(oid: Option<String>, bytes: Option<i64>) -> Result<Option<Blob>, DbError> {
    let (Some(oid), Some(bytes)) = (oid, bytes) else {
        return Ok(None);
    };
    Ok(Some(Blob {
        id: blob_id(&oid)?,
        size: size(bytes)?,
    }))
}

/// One page of a file's history.
#[derive(Debug)]
pub(crate) struct HistoryPage {
    pub(crate) vault: VaultId,
    pub(crate) file: FileId,
    pub(crate) before: Option<i64>,
    pub(crate) limit: u32,
}

/// Newest first.
pub(crate) async fn of_file(
    db: &mut Connection,
    page: &HistoryPage,
) -> Result<Vec<Revision>, DbError> {
    let select = format!(
        "SELECT {COLUMNS} FROM revisions WHERE vault_id = $1 AND file_id = $2 AND revision < $3
        ORDER BY revision DESC LIMIT $4"
    );
    let before = page.before.unwrap_or(i64::MAX);
    let rows = db
        .query(
            &select,
            params![page.vault.as_str(), page.file.as_str(), before, page.limit],
        )
        .await?;
    rows.into_iter().map(read).collect()
}

pub(crate) async fn revision(
    db: &mut Connection,
    (vault, file, revision): &(VaultId, FileId, i64),
) -> Result<Option<Revision>, DbError> {
    let select = format!(
        "SELECT {COLUMNS} FROM revisions WHERE vault_id = $1 AND file_id = $2 AND revision = $3"
    );
    db.find(&select, params![vault.as_str(), file.as_str(), *revision])
        .await?
        .map(read)
        .transpose()
}

/// The file that was moved away from a name last, under the name that it has now. `None` if another
/// file was deleted under the old name since, or has taken the new one.
pub(crate) async fn moved_file(
    db: &mut Connection,
    from: &(VaultId, Filename),
) -> Result<Option<File>, DbError> {
    const MOVE: &str =
        "SELECT file_id, change FROM revisions WHERE vault_id = $1 AND moved_from = $2
        ORDER BY change DESC LIMIT 1";
    let (vault, name) = from;
    let moved = db
        .find(MOVE, params![vault.as_str(), name.as_str()])
        .await?;
    let Some(mut row) = moved else {
        return Ok(None);
    };
    let (id, change) = (FileId::new(&row.text()?), row.int()?);
    let left = files::find_or_deleted(db, from).await?;
    if left.is_some_and(|left| left.id != id && left.change > change) {
        return Ok(None);
    }
    let Some(file) = files::by_id(db, vault, &id).await? else {
        return Ok(None);
    };
    let target = files::find_or_deleted(db, &(vault.clone(), file.name.clone())).await?;
    Ok(target.filter(|target| target.id == id))
}

/// A page of the rows after a number.
#[derive(Debug)]
pub(crate) struct Since {
    pub(crate) vault: VaultId,
    pub(crate) after: i64,
    pub(crate) limit: u32,
}

/// Oldest first.
pub(crate) async fn changes(db: &mut Connection, page: &Since) -> Result<Vec<Revision>, DbError> {
    let select = format!(
        "SELECT {COLUMNS} FROM revisions WHERE vault_id = $1 AND change > $2 ORDER BY change LIMIT $3"
    );
    let rows = db
        .query(
            &select,
            params![page.vault.as_str(), page.after, page.limit],
        )
        .await?;
    rows.into_iter().map(read).collect()
}

pub(crate) async fn add_event(
    db: &mut Connection,
    recorded: &RecordedChange<'_>,
    event: i64,
) -> Result<(), DbError> {
    const INSERT: &str = "INSERT INTO events (vault_id, event, at, actor, action, body) VALUES ($1, $2, $3, $4, $5, $6)";
    let RecordedChange {
        command,
        effect,
        after,
    } = recorded;
    let Actor { username, .. } = &command.by;
    let body = json_rows::write(&EventBody::of(effect, after))?;
    let action = effect.action.as_str();
    let row = params![
        command.vault.as_str(),
        event,
        command.at,
        username.as_str(),
        action,
        body
    ];
    db.execute(INSERT, row).await.map(drop)
}

/// Oldest first.
pub(crate) async fn events(db: &mut Connection, page: &Since) -> Result<Vec<Event>, DbError> {
    const SELECT: &str = "SELECT event, at, actor, action, body FROM events
        WHERE vault_id = $1 AND event > $2 ORDER BY event LIMIT $3";
    let rows = db
        .query(SELECT, params![page.vault.as_str(), page.after, page.limit])
        .await?;
    rows.into_iter().map(read_event).collect()
}

fn read_event(mut row: Row) -> Result<Event, DbError> {
    let (id, at, by, action) = (
        row.int()?,
        row.time()?,
        username(&row.text()?)?,
        row.text()?,
    );
    let body: EventBody = json_rows::read(&row.text()?)?;
    Ok(Event {
        id,
        at,
        by,
        action: EventAction::parse(&action)
            .ok_or_else(|| DbError::corrupt("stored event action is unknown"))?,
        file: body.file.into_file()?,
        moved_from: body.moved_from.map(|name| Filename::from_stored(&name)),
        reason: body.reason.map(UserText::from_stored),
    })
}
