//! The audit log: chains of entries. Each entry has a hash over the previous hash and its own
//! fields, and is appended in the transaction that it records. [`Store::verify_audit`] detects an
//! edited or deleted row.

mod read;

use auth::{
    Actor,
    audit::{AuditDetail, NewAuditEntry},
    store::StoreResult,
};
use aws_lc_rs::digest;
use jiff::Timestamp;
use vault::VaultId;

use crate::{
    Store,
    connection::Connection,
    error::DbError,
    value::{Row, params},
};

pub use auth::audit::Chain;
pub use read::ChainHead;

/// The result of [`Store::verify_audit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainStatus {
    /// All `entries` are unchanged.
    Intact { entries: i64 },
    /// The first entry, counted from 1, that is missing, changed, or not written by this program.
    Broken { at: i64 },
}

/// An entry before it is appended.
#[derive(Debug)]
pub(crate) struct ChainEntry<'a> {
    pub(crate) at: Timestamp,
    pub(crate) actor: &'a str,
    /// For example `file.checked_out` or `account.created`.
    pub(crate) action: &'a str,
    /// The file or the account.
    pub(crate) subject: &'a str,
    pub(crate) detail: AuditDetail,
}

/// Appends to the chain of accounts.
pub(crate) async fn record(db: &mut Connection, record: &NewAuditEntry) -> Result<(), DbError> {
    let (actor, subject, detail) = (
        record.actor.as_str(),
        record.subject.as_str(),
        record.detail.clone(),
    );
    append(
        db,
        &Chain::Accounts,
        ChainEntry {
            at: record.at,
            actor,
            action: record.action.as_str(),
            subject,
            detail,
        },
    )
    .await
}

/// An action in a vault.
#[derive(Debug)]
pub(crate) struct VaultAudit<'a> {
    pub(crate) vault: &'a VaultId,
    pub(crate) by: &'a Actor,
    pub(crate) at: Timestamp,
}

impl VaultAudit<'_> {
    /// Appends to the vault's chain.
    pub(crate) async fn record(
        self,
        db: &mut Connection,
        (action, subject): (&str, &str),
        add: impl FnOnce(AuditDetail) -> AuditDetail,
    ) -> Result<(), DbError> {
        let detail = add(AuditDetail::by(self.by));
        let entry = ChainEntry {
            at: self.at,
            actor: self.by.username.as_str(),
            action,
            subject,
            detail,
        };
        append(db, &Chain::Realm(self.vault.clone()), entry).await
    }
}

/// Called last in a transaction: the chain's head stays locked until the commit.
pub(crate) async fn append(
    db: &mut Connection,
    chain: &Chain,
    entry: ChainEntry<'_>,
) -> Result<(), DbError> {
    const INSERT: &str =
        "INSERT INTO audit (chain, n, prev_hash, hash, at, actor, action, subject, detail, address)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    const ADVANCE: &str = "UPDATE audit_heads SET n = $2, hash = $3 WHERE chain = $1";
    let head = head(
        db,
        chain,
        "SELECT n, hash FROM audit_heads WHERE chain = $1 FOR UPDATE",
    )
    .await?;
    let Some((n, prev_hash)) = head else {
        return Err(DbError::corrupt("the audit chain has no head"));
    };
    let link = ChainRow {
        n: n + 1,
        prev_hash,
        at: entry.at.as_microsecond(),
        words: [entry.actor, entry.action, entry.subject].map(|word| word.replace('\0', "\u{1}")),
        detail: entry.detail.to_json().to_string(),
    };
    let (hash, key) = (link.hash(chain), chain.key());
    let [actor, action, subject] = link.words.clone();
    let address = entry
        .detail
        .from
        .as_ref()
        .map_or("", |from| from.address.as_str());
    let row = params![
        key,
        link.n,
        link.prev_hash,
        hash.as_str(),
        link.at,
        actor,
        action,
        subject,
        link.detail,
        address
    ];
    db.execute(INSERT, row).await?;
    db.execute(ADVANCE, params![key, n + 1, hash]).await?;
    Ok(())
}

/// Starts a vault's chain.
pub(crate) async fn create_chain(db: &mut Connection, vault: &VaultId) -> Result<(), DbError> {
    let begin = "INSERT INTO audit_heads (chain, n, hash) VALUES ($1, 0, '')";
    db.execute(begin, params![vault.as_str()]).await.map(drop)
}

async fn head(
    db: &mut Connection,
    chain: &Chain,
    sql: &str,
) -> Result<Option<(i64, String)>, DbError> {
    let row = db.find(sql, params![chain.key()]).await?;
    row.map(|mut row| Ok((row.int()?, row.text()?))).transpose()
}

struct ChainRow {
    n: i64,
    prev_hash: String,
    /// Microseconds since 1970.
    at: i64,
    /// Actor, action, subject.
    words: [String; 3],
    /// The JSON as it is stored.
    detail: String,
}

/// Compares the search columns of the row with the hashed detail.
fn columns_match_detail(address: Option<&str>, detail: &str) -> bool {
    match address {
        None => true,
        Some("") => !detail.contains(r#""from":{"address":"#),
        Some(address) => detail.contains(&format!(r#""from":{{"address":"{address}""#)),
    }
}

impl ChainRow {
    fn read(row: &mut Row) -> Result<(Self, String), DbError> {
        let (n, prev_hash, hash, at) = (row.int()?, row.text()?, row.text()?, row.int()?);
        let words = [row.text()?, row.text()?, row.text()?];
        Ok((
            Self {
                n,
                prev_hash,
                at,
                words,
                detail: row.text()?,
            },
            hash,
        ))
    }

    /// SHA-256 hex over the fields. Each field is prefixed with its length, so that no two entries
    /// have the same input.
    fn hash(&self, chain: &Chain) -> String {
        let mut sha256 = digest::Context::new(&digest::SHA256);
        let mut add = |field: &[u8]| {
            sha256.update(&(field.len() as u64).to_be_bytes());
            sha256.update(field);
        };
        add(self.prev_hash.as_bytes());
        add(chain.key().as_bytes());
        add(&self.n.to_be_bytes());
        add(&self.at.to_be_bytes());
        self.words.iter().for_each(|word| add(word.as_bytes()));
        add(self.detail.as_bytes());
        hex::encode(sha256.finish())
    }
}

impl Store {
    /// Reads a whole chain and recomputes its hashes. Entries appended meanwhile are ignored.
    pub async fn verify_audit(&self, chain: &Chain) -> StoreResult<ChainStatus> {
        self.read(chain.clone(), |db, chain| {
            Box::pin(async move { Ok(verify(db, chain).await?) })
        })
        .await
    }
}

async fn verify(db: &mut Connection, chain: &Chain) -> Result<ChainStatus, DbError> {
    const PAGE: &str =
        "SELECT n, prev_hash, hash, at, actor, action, subject, detail, address FROM audit
        WHERE chain = $1 AND n > $2 AND n <= $3 ORDER BY n LIMIT 1000";
    // One statement, because each append moves the head.
    const ROWS_BEYOND_HEAD: &str = "SELECT MIN(n) FROM audit WHERE chain = $1
        AND (n < 1 OR n > (SELECT head.n FROM audit_heads AS head WHERE head.chain = $1))";
    let head = head(
        db,
        chain,
        "SELECT n, hash FROM audit_heads WHERE chain = $1",
    )
    .await?;
    let Some((last, last_hash)) = head else {
        return Ok(ChainStatus::Broken { at: 1 });
    };
    let (mut n, mut newest) = (0, String::new());
    while n < last {
        let page = db.query(PAGE, params![chain.key(), n, last]).await?;
        if page.is_empty() {
            return Ok(ChainStatus::Broken { at: n + 1 });
        }
        for mut row in page {
            let (link, hash) = ChainRow::read(&mut row)?;
            let is_true = columns_match_detail(row.opt_text()?.as_deref(), &link.detail);
            if !is_true || link.n != n + 1 || link.prev_hash != newest || link.hash(chain) != hash {
                return Ok(ChainStatus::Broken { at: n + 1 });
            }
            (n, newest) = (link.n, hash);
        }
    }
    if newest != last_hash {
        return Ok(ChainStatus::Broken { at: last });
    }
    let stray = db
        .find(ROWS_BEYOND_HEAD, params![chain.key()])
        .await?
        .map(|mut row| row.opt_int())
        .transpose()?
        .flatten();
    Ok(stray.map_or(ChainStatus::Intact { entries: last }, |at| {
        ChainStatus::Broken { at }
    }))
}
