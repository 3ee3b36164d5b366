//! Vaults, their counters, and the rows beside their files: derived commits, blobs, keys.

use auth::{Actor, Realm, Role};
use jiff::Timestamp;
use vault::{
    Blob, BlobId, VaultError, VaultId, VaultName,
    store::{DerivedCommit, Heads, NewRevision},
};

use crate::{
    account_events::append,
    accounts,
    audit::{self, VaultAudit},
    connection::Connection,
    error::{DbError, TxError},
    files::size,
    json_rows::blob_id,
    roles,
    value::params,
};

#[derive(Debug)]
pub(crate) struct Create {
    pub(crate) vault: Realm,
    pub(crate) by: Actor,
    pub(crate) at: Timestamp,
}

pub(crate) async fn create(
    db: &mut Connection,
    create: &Create,
) -> Result<(), TxError<VaultError>> {
    const INSERT: &str = "INSERT INTO vaults (vault_id, name, change_seq, event_seq, created_at)
        VALUES ($1, $2, 0, 0, $3) ON CONFLICT (name) DO NOTHING";
    let Create { vault, by, at } = create;
    if db
        .execute(INSERT, params![vault.id.as_str(), vault.name.as_str(), *at])
        .await?
        == 0
    {
        return Err(VaultError::VaultExists {
            name: vault.name.clone(),
        }
        .into());
    }
    // The program itself has no account, and an account that registers under its name must not gain
    // its membership.
    if accounts::lock_row(db, &by.username).await?.is_some() {
        roles::grant(db, &by.username, &vault.id, Role::Manager).await?;
        append(db, &by.username).await?;
    }
    audit::create_chain(db, &vault.id).await?;
    let done = VaultAudit {
        vault: &vault.id,
        by,
        at: *at,
    };
    Ok(done
        .record(db, ("vault.created", vault.name.as_str()), |detail| detail)
        .await?)
}

pub(crate) async fn by_name(
    db: &mut Connection,
    name: &VaultName,
) -> Result<Option<Realm>, DbError> {
    let row = db
        .find(
            "SELECT vault_id, name FROM vaults WHERE name = $1",
            params![name.as_str()],
        )
        .await?;
    row.map(roles::read_realm).transpose()
}

/// The numbers that one operation gets.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) event: i64,
    pub(crate) change: Option<i64>,
}

/// Increments the counters (the change number only for a new revision), and locks the vault's row
/// until the commit. `None` if the vault does not exist.
pub(crate) async fn advance(
    db: &mut Connection,
    vault: &VaultId,
    new: Option<&NewRevision>,
) -> Result<Option<Numbers>, DbError> {
    const ADVANCE: &str =
        "UPDATE vaults SET event_seq = event_seq + 1, change_seq = change_seq + $2
        WHERE vault_id = $1 RETURNING event_seq, change_seq";
    let row = db
        .find(ADVANCE, params![vault.as_str(), new.is_some()])
        .await?;
    row.map(|mut row| {
        Ok(Numbers {
            event: row.int()?,
            change: Some(row.int()?).filter(|_| new.is_some()),
        })
    })
    .transpose()
}

pub(crate) async fn heads(db: &mut Connection, vault: &VaultId) -> Result<Heads, DbError> {
    let select = "SELECT change_seq, event_seq FROM vaults WHERE vault_id = $1";
    let row = db.find(select, params![vault.as_str()]).await?;
    row.map_or(Ok(Heads::default()), |mut row| {
        Ok(Heads {
            change: row.int()?,
            event: row.int()?,
        })
    })
}

pub(crate) async fn derived(
    db: &mut Connection,
    vault: &VaultId,
) -> Result<Option<DerivedCommit>, DbError> {
    let select = "SELECT change, sha FROM commits WHERE vault_id = $1 ORDER BY change DESC LIMIT 1";
    let row = db.find(select, params![vault.as_str()]).await?;
    row.map(|mut row| {
        Ok(DerivedCommit {
            change: row.int()?,
            sha: row.text()?,
        })
    })
    .transpose()
}

pub(crate) async fn record_derived(
    db: &mut Connection,
    (vault, commits): &(VaultId, Vec<DerivedCommit>),
) -> Result<(), DbError> {
    const RECORD: &str = "INSERT INTO commits (vault_id, change, sha) VALUES ($1, $2, $3)
        ON CONFLICT (vault_id, change) DO UPDATE SET sha = excluded.sha";
    for commit in commits {
        db.execute(
            RECORD,
            params![vault.as_str(), commit.change, commit.sha.as_str()],
        )
        .await?;
    }
    Ok(())
}

/// A page of a vault's blobs.
#[derive(Debug)]
pub(crate) struct BlobPage {
    pub(crate) vault: VaultId,
    pub(crate) after: Option<BlobId>,
    pub(crate) limit: u32,
}

pub(crate) async fn blobs(db: &mut Connection, page: &BlobPage) -> Result<Vec<Blob>, DbError> {
    const SELECT: &str =
        "SELECT oid, size FROM blobs WHERE vault_id = $1 AND oid > $2 ORDER BY oid LIMIT $3";
    let after = page.after.as_ref().map_or("", BlobId::as_str);
    let rows = db
        .query(SELECT, params![page.vault.as_str(), after, page.limit])
        .await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Blob {
                id: blob_id(&row.text()?)?,
                size: size(row.int()?)?,
            })
        })
        .collect()
}

pub(crate) async fn has_blob(
    db: &mut Connection,
    (vault, id): &(VaultId, BlobId),
) -> Result<bool, DbError> {
    let select = "SELECT size FROM blobs WHERE vault_id = $1 AND oid = $2";
    let row = db
        .find(select, params![vault.as_str(), id.as_str()])
        .await?;
    Ok(row.is_some())
}

const PURGE_KEYS: &str = "DELETE FROM idempotency WHERE (vault_id, username, request_key) IN
    (SELECT vault_id, username, request_key FROM idempotency WHERE at < $1 LIMIT 500)";

/// Deletes at most 500 at once; returns how many.
pub(crate) async fn purge_idempotency_keys(
    db: &mut Connection,
    before: &Timestamp,
) -> Result<u64, DbError> {
    db.execute(PURGE_KEYS, params![*before]).await
}
