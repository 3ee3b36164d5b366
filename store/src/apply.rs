//! One operation on a file, as one transaction, the same for all nine operations. [`vault::decide`]
//! decides the outcome. This module locks, writes and records.

use auth::audit::AuditDetail;
use serde_json::{Value as Json, json};
use vault::{Blob, Command, File, Outcome, UserText, VaultError, VaultId, decide::decide};

use crate::{
    audit::VaultAudit,
    connection::Connection,
    error::{DbError, TxError},
    files::{self, size_value},
    folders,
    history::{self, RecordedChange},
    idempotency, overrides,
    value::params,
    vaults,
};

/// Every transaction takes its locks in this order (key, file, vault, audit), which excludes
/// deadlocks.
pub(crate) async fn apply(
    db: &mut Connection,
    command: &Command,
) -> Result<Outcome, TxError<VaultError>> {
    if let Some(outcome) = idempotency::claim(db, command).await? {
        return Ok(outcome);
    }
    let before = files::lock_row(db, command).await?;
    let effect = decide(before.as_ref(), command)?;
    if effect.revision.is_some() && !effect.file.deleted {
        insert_blob(db, &command.vault, &effect.file.blob).await?;
    }
    // Locks the vault's row until the commit: event numbers follow the order of commits.
    let numbers = vaults::advance(db, &command.vault, effect.revision.as_ref()).await?;
    let Some(numbers) = numbers else {
        return Err(VaultError::NotFound.into());
    };
    let after = File {
        change: numbers.change.unwrap_or(effect.file.change),
        ..effect.file.clone()
    };
    write_file_and_folders(db, &command.vault, before.as_ref(), &after).await?;
    let recorded = RecordedChange {
        command,
        effect: &effect,
        after: &after,
    };
    record(db, &recorded, before.as_ref(), numbers.event).await?;
    let outcome = Outcome {
        file: after,
        event: numbers.event,
        change: numbers.change,
        overridden: effect.overridden.clone(),
        replayed: false,
    };
    idempotency::complete(db, command, &outcome).await?;
    Ok(outcome)
}

/// Writes the file's row, and the rows of its folders if the file appears, disappears or moves.
async fn write_file_and_folders(
    db: &mut Connection,
    vault: &VaultId,
    before: Option<&File>,
    after: &File,
) -> Result<(), TxError<VaultError>> {
    let place = |file: &File| (!file.deleted).then(|| file.name.clone());
    let (from, to) = (before.and_then(place), place(after));
    if from == to {
        return Ok(files::write(db, vault, before, after).await?);
    }
    if let (Some(_), Some(before)) = (from, before) {
        folders::remove_if_empty(db, vault, before).await?;
    }
    if to.is_none() {
        return Ok(files::write(db, vault, before, after).await?);
    }
    files::require_free(db, vault, after).await?;
    files::write(db, vault, before, after).await?;
    folders::ensure(db, vault, after).await
}

async fn insert_blob(db: &mut Connection, vault: &VaultId, blob: &Blob) -> Result<(), DbError> {
    const KEEP: &str = "INSERT INTO blobs (vault_id, oid, size, store_key, encoding, state)
        VALUES ($1, $2, $3, $2, 'identity', 'stored') ON CONFLICT (vault_id, oid) DO NOTHING";
    db.execute(
        KEEP,
        params![vault.as_str(), blob.id.as_str(), size_value(blob.size)?],
    )
    .await
    .map(drop)
}

async fn record(
    db: &mut Connection,
    recorded: &RecordedChange<'_>,
    before: Option<&File>,
    event: i64,
) -> Result<(), DbError> {
    let RecordedChange {
        command,
        effect,
        after,
    } = recorded;
    if let Some(new) = &effect.revision {
        history::add_revision(db, recorded, new).await?;
    }
    history::add_event(db, recorded, event).await?;
    overrides::record(db, recorded, before, event).await?;
    let action = format!("file.{}", effect.action.as_str());
    let done = VaultAudit {
        vault: &command.vault,
        by: &command.by,
        at: command.at,
    };
    let add_detail = |detail: AuditDetail| {
        let detail = detail
            .change(before.map_or(Json::Null, audit_json), audit_json(after))
            .with("event", event);
        let detail = detail.with("file", after.id.as_str());
        let detail = detail.with("change", effect.revision.is_some().then_some(after.change));
        match &effect.reason {
            Some(reason) => detail.reason(reason.as_str()),
            None => detail,
        }
    };
    done.record(db, (&action, after.name.as_str()), add_detail)
        .await
}

/// The file's fields in the audit detail.
fn audit_json(file: &File) -> Json {
    json!({
        "name": file.name.as_str(),
        "description": file.description.as_ref().map(UserText::as_str),
        "revision": file.revision,
        "sha256": file.blob.id.as_str(),
        "locked_by": file.holder().map(auth::Username::as_str),
        "deleted": file.deleted,
    })
}
