//! Broken locks: a record for the file's history, and a notice to the holder until it is dismissed.

use auth::{Username, store::StoreResult};
use jiff::Timestamp;
use vault::{File, FileId, Filename, LockOverride, UserText, VaultId};

use crate::{
    Store,
    accounts::username,
    connection::Connection,
    error::DbError,
    history::{self, RecordedChange},
    transaction::{read_tx, write_tx},
    value::{Row, params},
};

const COLUMNS: &str = "vault_id, event, file_id, name, revision, holder, actor, at, reason";
/// Overrides that a page shows: of one file, or open notices of one holder.
const MAX_SHOWN: u32 = 100;
/// Notices claimed for mail at once.
const MAIL_BATCH: u32 = 50;

/// Records an override, if the change is one. The notice of an own lock is dismissed from the start.
pub(crate) async fn record(
    db: &mut Connection,
    recorded: &RecordedChange<'_>,
    before: Option<&File>,
    event: i64,
) -> Result<(), DbError> {
    const INSERT: &str = "INSERT INTO overrides (vault_id, event, file_id, name, revision, holder, actor, at, reason,
        mailed_at, dismissed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)";
    let RecordedChange {
        command,
        effect,
        after,
    } = recorded;
    let (Some(reason), Some(holder)) = (&effect.reason, before.and_then(File::holder)) else {
        return Ok(());
    };
    let done_at = effect
        .overridden
        .is_none()
        .then(|| command.at.as_microsecond());
    let row = params![
        command.vault.as_str(),
        event,
        after.id.as_str(),
        after.name.as_str(),
        after.revision,
        holder.as_str(),
        command.by.username.as_str(),
        command.at,
        reason.as_str(),
        done_at,
    ];
    db.execute(INSERT, row).await.map(drop)
}

fn read(mut row: Row) -> Result<LockOverride, DbError> {
    Ok(LockOverride {
        vault: VaultId::new(&row.text()?),
        event: row.int()?,
        file: FileId::new(&row.text()?),
        name: Filename::from_stored(&row.text()?),
        revision: row.int()?,
        holder: username(&row.text()?)?,
        by: username(&row.text()?)?,
        at: row.time()?,
        reason: UserText::from_stored(row.text()?),
    })
}

impl Store {
    /// The overrides of a file, newest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn overrides_of_file(
        &self,
        vault: &VaultId,
        file: &FileId,
    ) -> StoreResult<Vec<LockOverride>> {
        read_tx!(self, (vault.clone(), file.clone()), of_file)
    }

    /// The file that was moved away from `name`, for a redirect from its old address.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn moved_file(&self, vault: &VaultId, name: &Filename) -> StoreResult<Option<File>> {
        read_tx!(self, (vault.clone(), name.clone()), history::moved_file)
    }

    /// The notices that a holder has not dismissed, newest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn override_notices(&self, holder: &Username) -> StoreResult<Vec<LockOverride>> {
        read_tx!(self, holder.clone(), open_notices)
    }

    /// Dismisses a notice of its holder. Another user's, or none, is not an error.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn dismiss_override_notice(
        &self,
        holder: &Username,
        vault: &VaultId,
        event: i64,
        at: Timestamp,
    ) -> StoreResult<()> {
        write_tx!(self, (holder.clone(), vault.clone(), event, at), dismiss)
    }

    /// Notices that no mail was sent for. A notice is claimed once, by one node.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim_override_mails(&self, at: Timestamp) -> StoreResult<Vec<LockOverride>> {
        write_tx!(self, at, claim_mails)
    }
}

async fn of_file(
    db: &mut Connection,
    (vault, file): &(VaultId, FileId),
) -> Result<Vec<LockOverride>, DbError> {
    let select = format!(
        "SELECT {COLUMNS} FROM overrides WHERE vault_id = $1 AND file_id = $2
        ORDER BY event DESC LIMIT $3"
    );
    let rows = db
        .query(&select, params![vault.as_str(), file.as_str(), MAX_SHOWN])
        .await?;
    rows.into_iter().map(read).collect()
}

async fn open_notices(
    db: &mut Connection,
    holder: &Username,
) -> Result<Vec<LockOverride>, DbError> {
    let select = format!(
        "SELECT {COLUMNS} FROM overrides WHERE holder = $1 AND dismissed_at IS NULL
        ORDER BY at DESC LIMIT $2"
    );
    let rows = db
        .query(&select, params![holder.as_str(), MAX_SHOWN])
        .await?;
    rows.into_iter().map(read).collect()
}

async fn dismiss(
    db: &mut Connection,
    (holder, vault, event, at): &(Username, VaultId, i64, Timestamp),
) -> Result<(), DbError> {
    const DISMISS: &str = "UPDATE overrides SET dismissed_at = $4
        WHERE vault_id = $1 AND event = $2 AND holder = $3 AND dismissed_at IS NULL";
    db.execute(
        DISMISS,
        params![vault.as_str(), *event, holder.as_str(), *at],
    )
    .await
    .map(drop)
}

async fn claim_mails(db: &mut Connection, at: &Timestamp) -> Result<Vec<LockOverride>, DbError> {
    const CLAIM: &str = "UPDATE overrides SET mailed_at = $3
        WHERE vault_id = $1 AND event = $2 AND mailed_at IS NULL";
    let select =
        format!("SELECT {COLUMNS} FROM overrides WHERE mailed_at IS NULL ORDER BY at LIMIT $1");
    let mut claimed = Vec::new();
    for row in db.query(&select, params![MAIL_BATCH]).await? {
        let notice = read(row)?;
        let key = params![notice.vault.as_str(), notice.event, *at];
        if db.execute(CLAIM, key).await? == 1 {
            claimed.push(notice);
        }
    }
    Ok(claimed)
}
