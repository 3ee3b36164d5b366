//! The key ring. Its rows are sealed before they reach this crate.

use auth::{
    Actor, PasswordHash,
    audit::AuditAction,
    store::{KeyPurpose, KeyStore, Reseal, Resealed, StoreResult, StoredKey},
};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::{
    Store, audit,
    connection::Connection,
    error::DbError,
    master,
    transaction::{read_tx, write_tx},
    value::{Row, params},
};

impl KeyStore for Store {
    async fn keys(&self, purpose: KeyPurpose) -> StoreResult<Vec<StoredKey>> {
        read_tx!(self, purpose, list)
    }

    async fn replace_key(&self, new: StoredKey, old: Option<&str>) -> StoreResult<bool> {
        write_tx!(
            self,
            Replace {
                new,
                old: old.map(str::to_owned)
            },
            replace
        )
    }

    async fn purge_keys(&self, before: Timestamp) -> StoreResult<u64> {
        write_tx!(self, before, forget)
    }

    async fn purge_peppers(&self, before: Timestamp) -> StoreResult<u64> {
        write_tx!(self, before, forget_peppers)
    }

    async fn master_id(&self) -> StoreResult<Option<String>> {
        self.read((), |db, ()| {
            Box::pin(async move { Ok(master::active_id(db).await?) })
        })
        .await
    }

    async fn set_master_id(
        &self,
        name: &str,
        old: Option<&str>,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let naming = master::SetMaster {
            id: name.to_owned(),
            old: old.map(str::to_owned),
            at,
        };
        write_tx!(self, naming, master::set_active)
    }

    async fn reseal(&self, reseal: Reseal) -> StoreResult<Option<Resealed>> {
        write_tx!(self, reseal, master::reseal)
    }
}

pub(crate) async fn list(
    db: &mut Connection,
    purpose: &KeyPurpose,
) -> Result<Vec<StoredKey>, DbError> {
    const SELECT: &str =
        "SELECT kid, algorithm, sealed, made_at, retired_at FROM keys WHERE purpose = $1
        ORDER BY CASE WHEN retired_at IS NULL THEN 0 ELSE 1 END, made_at DESC, kid";
    let rows = db.query(SELECT, params![purpose.as_str()]).await?;
    rows.into_iter()
        .map(|mut row| parse(*purpose, &mut row))
        .collect()
}

fn parse(purpose: KeyPurpose, row: &mut Row) -> Result<StoredKey, DbError> {
    Ok(StoredKey {
        kid: row.text()?,
        purpose,
        algorithm: row.text()?,
        sealed: row.text()?.into(),
        created_at: row.time()?,
        retired_at: row.opt_time()?,
    })
}

#[derive(Debug)]
struct Replace {
    new: StoredKey,
    old: Option<String>,
}

async fn replace(db: &mut Connection, Replace { new, old }: &Replace) -> Result<bool, DbError> {
    const RETIRE: &str =
        "UPDATE keys SET retired_at = $3 WHERE kid = $1 AND purpose = $2 AND retired_at IS NULL";
    // Insert before reading: a unique index allows one signing key.
    const INSERT: &str = "INSERT INTO keys (kid, purpose, algorithm, sealed, made_at, retired_at)
        VALUES ($1, $2, $3, $4, $5, NULL) ON CONFLICT DO NOTHING";
    master::require_active_key(db, new.sealed.expose_secret()).await?;
    let purpose = new.purpose.as_str();
    if let Some(old) = old
        && db
            .execute(RETIRE, params![old.as_str(), purpose, new.created_at])
            .await?
            == 0
    {
        return Ok(false);
    }
    let row = params![
        new.kid.as_str(),
        purpose,
        new.algorithm.as_str(),
        new.sealed.expose_secret(),
        new.created_at
    ];
    match (db.execute(INSERT, row).await?, old) {
        (0, None) => return Ok(false),
        (0, Some(_)) => return Err(DbError::corrupt("two keys have the same id")),
        _ => {}
    }
    let made =
        auth::audit::NewAuditEntry::new(&Actor::console(), AuditAction::KeyRotated, new.created_at)
            .subject(new.kid.clone());
    let made = made.with_detail(|detail| {
        let detail = detail
            .with("purpose", purpose)
            .with("algorithm", new.algorithm.as_str());
        if let Some(old) = old {
            detail.with("instead_of", old.as_str())
        } else {
            detail
        }
    });
    audit::record(db, &made).await?;
    Ok(true)
}

async fn forget(db: &mut Connection, before: &Timestamp) -> Result<u64, DbError> {
    let forget = "DELETE FROM keys WHERE purpose = $1 AND retired_at < $2";
    db.execute(forget, params![KeyPurpose::AccessTokens.as_str(), *before])
        .await
}

async fn forget_peppers(db: &mut Connection, before: &Timestamp) -> Result<u64, DbError> {
    const UNDER: &str = "SELECT 1 FROM accounts WHERE password LIKE $1 LIMIT 1";
    let mut forgotten = 0;
    for key in list(db, &KeyPurpose::Peppers).await? {
        let old = key.retired_at.is_some_and(|at| at < *before);
        let hashes = PasswordHash::prefix_for_pepper(&key.kid) + "%";
        if old && db.find(UNDER, params![hashes]).await?.is_none() {
            forgotten += db
                .execute("DELETE FROM keys WHERE kid = $1", params![key.kid.as_str()])
                .await?;
        }
    }
    Ok(forgotten)
}
