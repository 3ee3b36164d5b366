//! A folder has a row while it contains a live file. The unique index on names thereby decides
//! every race between files and folders (docs/decisions/0001). Callers hold the lock on the vault's
//! row.

use vault::{File, Filename, VaultError, VaultId, search::natural_key};

use crate::{
    connection::Connection,
    error::{DbError, TxError},
    files::{FOLDER, parent_and_name},
    value::params,
};

/// Inserts the missing folders above a file.
pub(crate) async fn ensure(
    db: &mut Connection,
    vault: &VaultId,
    file: &File,
) -> Result<(), TxError<VaultError>> {
    const FIND: &str =
        "SELECT kind, path FROM files WHERE vault_id = $1 AND path_key = $2 AND deleted = 0";
    let folders: Vec<Filename> = file.name.folders().collect();
    // Innermost first: if one exists, all folders above it exist.
    for folder in folders.iter().rev() {
        let Some(mut row) = db
            .find(FIND, params![vault.as_str(), folder.key().as_str()])
            .await?
        else {
            insert(db, vault, folder, file).await?;
            continue;
        };
        let (kind, path) = (row.int()?, row.text()?);
        if kind == FOLDER && path == folder.as_str() {
            return Ok(());
        }
        return Err(VaultError::NameConflict {
            name: Filename::from_stored(&path),
        }
        .into());
    }
    Ok(())
}

async fn insert(
    db: &mut Connection,
    vault: &VaultId,
    folder: &Filename,
    first: &File,
) -> Result<(), DbError> {
    const INSERT: &str = "INSERT INTO files (vault_id, file_id, kind, path, path_key, parent_key, leaf_key, revision,
        change, oid, size, modified_at, modified_by, grants, deleted, natural_key)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, '', 0, $8, $9, 0, 0, $10)";
    let key = folder.key();
    let (parent, leaf) = parent_and_name(&key);
    let row = params![
        vault.as_str(),
        format!("/{}", key.as_str()),
        FOLDER,
        folder.as_str(),
        key.as_str(),
        parent,
        leaf,
        first.modified_at,
        first.modified_by.as_str(),
        natural_key(&key),
    ];
    db.execute(INSERT, row).await.map(drop)
}

/// Removes the folders that are empty without `leaving`, innermost first.
pub(crate) async fn remove_if_empty(
    db: &mut Connection,
    vault: &VaultId,
    leaving: &File,
) -> Result<(), DbError> {
    const REMOVE: &str = "DELETE FROM files WHERE vault_id = $1 AND path_key = $2 AND deleted = 0 AND kind = 0
        AND NOT EXISTS (SELECT 1 FROM files inside WHERE inside.vault_id = $1 AND inside.parent_key = $2
            AND inside.deleted = 0 AND inside.file_id <> $3)";
    let key = leaving.name.key();
    let (mut folder, _) = parent_and_name(&key);
    while !folder.is_empty() {
        if db
            .execute(REMOVE, params![vault.as_str(), folder, leaving.id.as_str()])
            .await?
            == 0
        {
            break;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
    Ok(())
}
