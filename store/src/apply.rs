//! One operation on a file, as one transaction: the same way for all nine. What the operation does is decided by
//! [`vault::decide`]; here it is only held, written and recorded.

use auth::audit::Detail;
use serde_json::{Value as Json, json};
use vault::{Blob, Command, File, Outcome, Prose, VaultError, VaultId, decide::decide};

use crate::{
    audit::Done,
    connection::Connection,
    error::{DbError, Stop},
    files::{self, size_value},
    folders,
    history::{self, Recorded},
    idempotency,
    value::params,
    vaults,
};

/// Locks are taken in this order by everybody (key, file, vault, audit), so nobody waits in a circle.
pub(crate) async fn apply(
    db: &mut Connection,
    command: &Command,
) -> Result<Outcome, Stop<VaultError>> {
    if let Some(outcome) = idempotency::claim(db, command).await? {
        return Ok(outcome);
    }
    let before = files::hold(db, command).await?;
    let effect = decide(before.as_ref(), command)?;
    if effect.revision.is_some() && !effect.file.deleted {
        keep_blob(db, &command.vault, &effect.file.blob).await?;
    }
    // From here on everybody else in this vault waits: events are numbered in the order of commits.
    let numbers = vaults::advance(db, &command.vault, effect.revision.as_ref()).await?;
    let Some(numbers) = numbers else {
        return Err(VaultError::NotFound.into());
    };
    let after = File {
        change: numbers.change.unwrap_or(effect.file.change),
        ..effect.file.clone()
    };
    put(db, &command.vault, before.as_ref(), &after).await?;
    let recorded = Recorded {
        command,
        effect: &effect,
        after: &after,
    };
    record(db, &recorded, before.as_ref(), numbers.event).await?;
    let outcome = Outcome {
        file: after,
        event: numbers.event,
        change: numbers.change,
        replayed: false,
    };
    idempotency::settle(db, command, &outcome).await?;
    Ok(outcome)
}

/// Writes the file's row, and the folders' where it comes, goes or moves.
async fn put(
    db: &mut Connection,
    vault: &VaultId,
    before: Option<&File>,
    after: &File,
) -> Result<(), Stop<VaultError>> {
    let place = |file: &File| (!file.deleted).then(|| file.name.clone());
    let (from, to) = (before.and_then(place), place(after));
    if from == to {
        return Ok(files::write(db, vault, before, after).await?);
    }
    if let (Some(_), Some(before)) = (from, before) {
        folders::leave(db, vault, before).await?;
    }
    if to.is_none() {
        return Ok(files::write(db, vault, before, after).await?);
    }
    files::expect_free(db, vault, after).await?;
    files::write(db, vault, before, after).await?;
    folders::ensure(db, vault, after).await
}

async fn keep_blob(db: &mut Connection, vault: &VaultId, blob: &Blob) -> Result<(), DbError> {
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
    recorded: &Recorded<'_>,
    before: Option<&File>,
    event: i64,
) -> Result<(), DbError> {
    let Recorded {
        command,
        effect,
        after,
    } = recorded;
    if let Some(new) = &effect.revision {
        history::add_revision(db, recorded, new).await?;
    }
    history::add_event(db, recorded, event).await?;
    let action = format!("file.{}", effect.action.as_str());
    let done = Done {
        vault: &command.vault,
        by: &command.by,
        at: command.at,
    };
    let tell = |detail: Detail| {
        let detail = detail
            .change(before.map_or(Json::Null, told), told(after))
            .fact("event", event);
        let detail = detail.fact("file", after.id.as_str());
        let detail = detail.fact("change", effect.revision.is_some().then_some(after.change));
        match &effect.reason {
            Some(reason) => detail.because(reason.as_str()),
            None => detail,
        }
    };
    done.record(db, (&action, after.name.as_str()), tell).await
}

/// What the audit says of a file.
fn told(file: &File) -> Json {
    json!({
        "name": file.name.as_str(),
        "description": file.description.as_ref().map(Prose::as_str),
        "revision": file.revision,
        "sha256": file.blob.id.as_str(),
        "locked_by": file.holder().map(auth::Username::as_str),
        "deleted": file.deleted,
    })
}
