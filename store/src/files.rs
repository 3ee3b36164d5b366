//! Reads, locks and writes the rows of files.

use auth::DisplayName;
use vault::{
    Blob, Command, File, FileId, Filename, Lock, NameKey, Operation, UserText, VaultError, VaultId,
    search::{natural_key, search_text},
};

use crate::{
    accounts::username,
    connection::Connection,
    error::{DbError, TxError},
    json_rows::blob_id,
    value::{Row, Value, params},
};

pub(crate) const COLUMNS: &str =
    "file_id, path, description, revision, change, oid, size, modified_at, modified_by,
    locked_by, lock_id, locked_at, lock_note,
    (SELECT display_name FROM accounts WHERE username = locked_by), grants, deleted";
/// The values of `files.kind`.
pub(crate) const FOLDER: i64 = 0;
pub(crate) const FILE: i64 = 1;

pub(crate) fn read(row: &mut Row) -> Result<File, DbError> {
    Ok(File {
        id: FileId::new(&row.text()?),
        name: Filename::from_stored(&row.text()?),
        description: row.opt_text()?.map(UserText::from_stored),
        revision: row.int()?,
        change: row.int()?,
        blob: Blob {
            id: blob_id(&row.text()?)?,
            size: size(row.int()?)?,
        },
        modified_at: row.time()?,
        modified_by: username(&row.text()?)?,
        lock: read_lock(row)?,
        lock_seq: row.int()?,
        deleted: row.boolean()?,
    })
}

fn read_lock(row: &mut Row) -> Result<Option<Lock>, DbError> {
    let (holder, id, at, note) = (
        row.opt_text()?,
        row.opt_int()?,
        row.opt_time()?,
        row.opt_text()?,
    );
    let holder_name = row.opt_text()?;
    let (Some(holder), Some(id), Some(at)) = (holder, id, at) else {
        return Ok(None);
    };
    Ok(Some(Lock {
        id,
        holder: username(&holder)?,
        holder_name: holder_name.and_then(|name| DisplayName::parse(&name).ok()),
        at,
        note: note.map(UserText::from_stored),
    }))
}

pub(crate) fn size(stored: i64) -> Result<u64, DbError> {
    u64::try_from(stored).map_err(|_| DbError::corrupt("stored size is negative"))
}

pub(crate) fn size_value(size: u64) -> Result<i64, DbError> {
    i64::try_from(size).map_err(|_| DbError::corrupt("size overflows i64"))
}

/// The parts of a name's key before and after its last `/`; the parent is `''` at the top.
pub(crate) fn parent_and_name(key: &NameKey) -> (&str, &str) {
    key.as_str().rsplit_once('/').unwrap_or(("", key.as_str()))
}

/// Locks the row that the command is about until the commit.
pub(crate) async fn lock_row(
    db: &mut Connection,
    command: &Command,
) -> Result<Option<File>, DbError> {
    let vault = command.vault.as_str();
    let row = if let Operation::Restore { file, .. } = &command.operation {
        let select =
            format!("SELECT {COLUMNS} FROM files WHERE vault_id = $1 AND file_id = $2 FOR UPDATE");
        db.find(&select, params![vault, file.as_str()]).await?
    } else {
        let select = format!("{} FOR UPDATE", live_condition());
        db.find(&select, params![vault, command.file.key().as_str()])
            .await?
    };
    row.map(|mut row| read(&mut row)).transpose()
}

fn live_condition() -> String {
    format!(
        "SELECT {COLUMNS} FROM files WHERE vault_id = $1 AND path_key = $2 AND deleted = 0 AND kind = 1"
    )
}

pub(crate) async fn find(
    db: &mut Connection,
    (vault, name): &(VaultId, Filename),
) -> Result<Option<File>, DbError> {
    let row = db
        .find(
            &live_condition(),
            params![vault.as_str(), name.key().as_str()],
        )
        .await?;
    row.map(|mut row| read(&mut row)).transpose()
}

/// The live file of that name, else the one deleted last.
pub(crate) async fn find_or_deleted(
    db: &mut Connection,
    of: &(VaultId, Filename),
) -> Result<Option<File>, DbError> {
    if let Some(file) = find(db, of).await? {
        return Ok(Some(file));
    }
    let select = format!(
        "SELECT {COLUMNS} FROM files WHERE vault_id = $1 AND path_key = $2 AND deleted = 1
        ORDER BY change DESC LIMIT 1"
    );
    let row = db
        .find(&select, params![of.0.as_str(), of.1.key().as_str()])
        .await?;
    row.map(|mut row| read(&mut row)).transpose()
}

pub(crate) async fn by_id(
    db: &mut Connection,
    vault: &VaultId,
    id: &FileId,
) -> Result<Option<File>, DbError> {
    let select = format!("SELECT {COLUMNS} FROM files WHERE vault_id = $1 AND file_id = $2");
    let row = db
        .find(&select, params![vault.as_str(), id.as_str()])
        .await?;
    row.map(|mut row| read(&mut row)).transpose()
}

/// Rejects a name that another file or folder uses. The unique index would reject it too, but could
/// not name the other.
pub(crate) async fn require_free(
    db: &mut Connection,
    vault: &VaultId,
    file: &File,
) -> Result<(), TxError<VaultError>> {
    const FIND: &str = "SELECT file_id, kind, path FROM files WHERE vault_id = $1 AND path_key = $2 AND deleted = 0";
    let found = db
        .find(FIND, params![vault.as_str(), file.name.key().as_str()])
        .await?;
    let Some(mut row) = found else { return Ok(()) };
    let (id, kind, name) = (row.text()?, row.int()?, Filename::from_stored(&row.text()?));
    match kind {
        _ if id == file.id.as_str() => Ok(()),
        FILE => Err(VaultError::Exists { name }.into()),
        _ => Err(VaultError::NameConflict { name }.into()),
    }
}

/// Inserts the file, or updates the row as it was when it was locked.
pub(crate) async fn write(
    db: &mut Connection,
    vault: &VaultId,
    before: Option<&File>,
    after: &File,
) -> Result<(), DbError> {
    let mut row = values(vault, after)?;
    let Some(before) = before else {
        return db.execute(INSERT, &row).await.map(drop);
    };
    let lock_id = before.lock.as_ref().map_or(0, |lock| lock.id);
    row.extend_from_slice(params![
        before.revision,
        before.lock_seq,
        lock_id,
        before.deleted
    ]);
    if db.execute(UPDATE, &row).await? == 1 {
        Ok(())
    } else {
        // Reachable only if the database does not honour its row locks.
        Err(DbError::Serialization(
            "a file changed while its row was locked".to_owned(),
        ))
    }
}

const INSERT: &str = "INSERT INTO files (vault_id, file_id, kind, path, path_key, parent_key, leaf_key, description,
    revision, change, oid, size, modified_at, modified_by, locked_by, lock_id, locked_at, lock_note, grants, deleted,
    natural_key, search_text)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";

const UPDATE: &str = "UPDATE files SET kind = $3, path = $4, path_key = $5, parent_key = $6, leaf_key = $7,
    description = $8, revision = $9, change = $10, oid = $11, size = $12, modified_at = $13, modified_by = $14,
    locked_by = $15, lock_id = $16, locked_at = $17, lock_note = $18, grants = $19, deleted = $20,
    natural_key = $21, search_text = $22
    WHERE vault_id = $1 AND file_id = $2
    AND revision = $23 AND grants = $24 AND COALESCE(lock_id, 0) = $25 AND deleted = $26";

fn values(vault: &VaultId, file: &File) -> Result<Vec<Value>, DbError> {
    let key = file.name.key();
    let (parent, leaf) = parent_and_name(&key);
    let lock = file.lock.as_ref();
    let row = params![
        vault.as_str(),
        file.id.as_str(),
        FILE,
        file.name.as_str(),
        key.as_str(),
        parent,
        leaf,
        file.description.as_ref().map(UserText::as_str),
        file.revision,
        file.change,
        file.blob.id.as_str(),
        size_value(file.blob.size)?,
        file.modified_at,
        file.modified_by.as_str(),
        lock.map(|lock| lock.holder.as_str()),
        lock.map(|lock| lock.id),
        lock.map(|lock| lock.at),
        lock.and_then(|lock| lock.note.as_ref())
            .map(UserText::as_str),
        file.lock_seq,
        file.deleted,
        natural_key(&key),
        search_text(&file.name, file.description.as_ref()),
    ];
    Ok(row.to_vec())
}
