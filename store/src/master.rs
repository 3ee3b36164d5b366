//! The active master key, by its identifier, and its replacement.

use auth::{
    Actor,
    audit::{AuditAction, NewAuditEntry},
    keys::seal::key_id_of,
    store::{KeyPurpose, OneTimeKind, Reseal, Resealed},
};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::{audit, connection::Connection, error::DbError, keys, value::params};

/// The row is in the table of keys. At most one is active, as with signing keys.
const PURPOSE: &str = "master";
/// One-time tokens that contain a sealed value.
const SEALED_KINDS: [OneTimeKind; 2] = [OneTimeKind::Enrollment, OneTimeKind::Upstream];

pub(crate) async fn active_id(db: &mut Connection) -> Result<Option<String>, DbError> {
    let select = "SELECT kid FROM keys WHERE purpose = $1 AND retired_at IS NULL";
    db.find(select, params![PURPOSE])
        .await?
        .map(|mut row| row.text())
        .transpose()
}

/// Like [`active_id`], and locks the row until the commit.
async fn lock_row(db: &mut Connection) -> Result<Option<String>, DbError> {
    let select = "SELECT kid FROM keys WHERE purpose = $1 AND retired_at IS NULL FOR UPDATE";
    db.find(select, params![PURPOSE])
        .await?
        .map(|mut row| row.text())
        .transpose()
}

/// # Errors
/// `sealed` was sealed under another master key than the active one, so it could not be opened
/// again.
pub(crate) async fn require_active_key(db: &mut Connection, sealed: &str) -> Result<(), DbError> {
    match (lock_row(db).await?, key_id_of(sealed)) {
        (Some(name), Some(under)) if name != under => Err(DbError::corrupt(
            "a secret was sealed under a master key that was replaced",
        )),
        _ => Ok(()),
    }
}

#[derive(Debug)]
pub(crate) struct SetMaster {
    pub(crate) id: String,
    pub(crate) old: Option<String>,
    pub(crate) at: Timestamp,
}

pub(crate) async fn set_active(db: &mut Connection, naming: &SetMaster) -> Result<bool, DbError> {
    let Some(old) = &naming.old else {
        return insert(db, &naming.id, naming.at).await;
    };
    if lock_row(db).await?.as_ref() != Some(old) {
        return Ok(false);
    }
    replace(db, naming).await?;
    let record = NewAuditEntry::new(&Actor::console(), AuditAction::MasterKeyRotated, naming.at)
        .subject(naming.id.clone());
    audit::record(
        db,
        &record.with_detail(|detail| detail.with("instead_of", old.as_str()).with("lost", true)),
    )
    .await?;
    Ok(true)
}

/// Returns false if one is active, or if that identifier was used before.
async fn insert(db: &mut Connection, name: &str, at: Timestamp) -> Result<bool, DbError> {
    const INSERT: &str = "INSERT INTO keys (kid, purpose, algorithm, sealed, made_at, retired_at)
        VALUES ($1, $2, 'HKDF-SHA-256', '', $3, NULL) ON CONFLICT DO NOTHING";
    Ok(db.execute(INSERT, params![name, PURPOSE, at]).await? == 1)
}

async fn replace(db: &mut Connection, naming: &SetMaster) -> Result<(), DbError> {
    // Updates the same row: a transaction that waits in `lock_row` then reads the new identifier
    // instead of no row.
    const RENAME: &str =
        "UPDATE keys SET kid = $2, made_at = $3 WHERE purpose = $1 AND retired_at IS NULL";
    let renamed = db
        .execute(RENAME, params![PURPOSE, naming.id.as_str(), naming.at])
        .await?;
    if renamed == 1 {
        Ok(())
    } else {
        Err(DbError::corrupt("no active master key row to replace"))
    }
}

pub(crate) async fn reseal(
    db: &mut Connection,
    reseal: &Reseal,
) -> Result<Option<Resealed>, DbError> {
    if lock_row(db).await?.as_deref() != Some(reseal.old.as_str()) {
        return Ok(None);
    }
    let mut done = Resealed::default();
    reseal_keys(db, reseal, &mut done).await?;
    reseal_totp_secrets(db, reseal, &mut done).await?;
    for kind in SEALED_KINDS {
        db.execute(
            "DELETE FROM one_time_tokens WHERE kind = $1",
            params![kind.as_str()],
        )
        .await?;
    }
    retain_pepper(db, reseal).await?;
    let naming = SetMaster {
        id: reseal.new.clone(),
        old: Some(reseal.old.clone()),
        at: reseal.at,
    };
    replace(db, &naming).await?;
    let record = NewAuditEntry::new(&Actor::console(), AuditAction::MasterKeyRotated, reseal.at)
        .subject(reseal.new.clone());
    let entry = record.with_detail(|detail| {
        let detail = detail.with("instead_of", reseal.old.as_str());
        detail
            .with("keys", done.keys)
            .with("apps", done.totp_secrets)
            .with("dead", done.unreadable)
    });
    audit::record(db, &entry).await?;
    Ok(Some(done))
}

async fn reseal_keys(
    db: &mut Connection,
    reseal: &Reseal,
    done: &mut Resealed,
) -> Result<(), DbError> {
    for purpose in [KeyPurpose::AccessTokens, KeyPurpose::Peppers] {
        for key in keys::list(db, &purpose).await? {
            let Some(sealed) = reseal.rewrapper.rewrap_key(&key) else {
                done.unreadable += 1;
                continue;
            };
            let update = "UPDATE keys SET sealed = $2 WHERE kid = $1";
            done.keys += db
                .execute(update, params![key.kid.as_str(), sealed.expose_secret()])
                .await?;
        }
    }
    Ok(())
}

async fn reseal_totp_secrets(
    db: &mut Connection,
    reseal: &Reseal,
    done: &mut Resealed,
) -> Result<(), DbError> {
    let rows = db
        .query(
            "SELECT factor_id, body FROM factors WHERE kind = 'totp'",
            params![],
        )
        .await?;
    for mut row in rows {
        let (id, body) = (row.text()?, row.text()?);
        let Some(sealed) = reseal.rewrapper.totp_secret(&id, &body) else {
            done.unreadable += 1;
            continue;
        };
        let update = "UPDATE factors SET body = $2 WHERE factor_id = $1";
        done.totp_secrets += db
            .execute(update, params![id, sealed.expose_secret()])
            .await?;
    }
    Ok(())
}

/// The row exists already if a master key returns; its content was resealed just before.
async fn retain_pepper(db: &mut Connection, reseal: &Reseal) -> Result<(), DbError> {
    const INSERT: &str = "INSERT INTO keys (kid, purpose, algorithm, sealed, made_at, retired_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let key = &reseal.pepper;
    let row = params![
        key.kid.as_str(),
        key.purpose.as_str(),
        key.algorithm.as_str(),
        key.sealed.expose_secret(),
        key.created_at,
        key.retired_at,
    ];
    db.execute(INSERT, row).await?;
    Ok(())
}
