//! Applies migrations on start, or checks that they are applied. Migrations append: a published one
//! is never edited.

use auth::Clock;
use aws_lc_rs::digest::{SHA256, digest};

use crate::{
    OpenError,
    connection::Connection,
    error::{DbError, TxError},
    search_columns,
    value::params,
};

/// In order; the version is the position, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_the_first_tables.sql"),
    include_str!("../migrations/0002_sessions_know_more_and_slips.sql"),
    include_str!("../migrations/0003_second_factors.sql"),
    include_str!("../migrations/0004_identities.sql"),
    include_str!("../migrations/0005_addresses_are_verified.sql"),
    include_str!("../migrations/0006_places_and_the_audit_is_searched.sql"),
    include_str!("../migrations/0007_the_key_ring.sql"),
    include_str!("../migrations/0008_groups.sql"),
    include_str!("../migrations/0009_throttles.sql"),
    include_str!("../migrations/0010_a_reset_can_be_required.sql"),
    include_str!("../migrations/0011_people_are_looked_for.sql"),
    include_str!("../migrations/0012_deleted_files_are_listed.sql"),
    include_str!("../migrations/0013_everything_can_be_thrown_out.sql"),
    include_str!("../migrations/0014_reminders_and_the_audit_by_address.sql"),
    include_str!("../migrations/0015_sessions_are_of_a_program.sql"),
    include_str!("../migrations/0016_addresses_fold_alike.sql"),
    include_str!("../migrations/0017_rename_slips_to_one_time_tokens.sql"),
    include_str!("../migrations/0018_rename_acquaintances_to_known_sources.sql"),
    include_str!("../migrations/0019_rename_places_to_sign_in_history.sql"),
    include_str!("../migrations/0020_add_checksum_to_migrations.sql"),
    include_str!("../migrations/0021_overrides_are_kept.sql"),
    include_str!("../migrations/0022_moved_files_are_found.sql"),
    ADD_SEARCH_TEXT,
    INDEX_SEARCH,
    include_str!("../migrations/0025_add_start_and_persistence_to_sessions.sql"),
];

/// Followed by [`search_columns::fill`](crate::search_columns::fill).
const ADD_SEARCH_TEXT: &str =
    include_str!("../migrations/0023_add_natural_order_and_search_text.sql");
/// Followed by the statements of one database.
const INDEX_SEARCH: &str = include_str!("../migrations/0024_index_order_and_search.sql");
const INDEX_SEARCH_SQLITE: &str =
    include_str!("../migrations/0024_index_order_and_search.sqlite.sql");
const INDEX_SEARCH_POSTGRES: &str =
    include_str!("../migrations/0024_index_order_and_search.postgres.sql");

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (version BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)";

/// Whether opening the database may change its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    /// Applies pending migrations.
    Apply,
    /// Requires an up-to-date schema, else the store does not open. For a database account that may
    /// not change tables.
    Expect,
}

/// The reason why the schema does not fit this program.
#[derive(Debug)]
pub(crate) enum VersionMismatch {
    /// The newest applied version is not the newest that this program knows.
    Version { found: i64 },
    /// A script was edited after it was applied.
    Edited { version: i64 },
}

impl From<VersionMismatch> for OpenError {
    fn from(mismatch: VersionMismatch) -> Self {
        let known = latest_known();
        match mismatch {
            VersionMismatch::Version { found } if found > known => Self::Newer { found, known },
            VersionMismatch::Version { found } => Self::Older { found, known },
            VersionMismatch::Edited { version } => Self::Edited { version },
        }
    }
}

fn latest_known() -> i64 {
    MIGRATIONS.iter().map(|_| 1).sum()
}

fn scripts() -> impl Iterator<Item = (i64, &'static str)> {
    (1..).zip(MIGRATIONS.iter().copied())
}

/// Also over the statements of each database.
fn checksum(script: &str) -> String {
    let own = if script == INDEX_SEARCH {
        [INDEX_SEARCH_SQLITE, INDEX_SEARCH_POSTGRES].concat()
    } else {
        String::new()
    };
    hex::encode(digest(&SHA256, [script, &own].concat().as_bytes()))
}

/// Runs inside the caller's transaction. Two programs may start at once: the first to insert a
/// version applies it, the other waits.
pub(crate) async fn migrate(
    db: &mut Connection,
    clock: &Clock,
) -> Result<(), TxError<VersionMismatch>> {
    const CLAIM: &str =
        "INSERT INTO migrations (version, applied_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    db.execute(TABLE, &[]).await?;
    let found = applied_version(db).await?;
    if found > latest_known() {
        return Err(TxError::Rejected(VersionMismatch::Version { found }));
    }
    for (version, script) in scripts().filter(|(version, _)| *version > found) {
        if db.execute(CLAIM, params![version, clock.now()]).await? == 1 {
            db.run_script(script).await?;
            after_script(db, script).await?;
        }
    }
    record_checksums(db).await?;
    verify_checksums(db).await
}

/// What a script of SQL for both databases cannot do.
async fn after_script(db: &mut Connection, script: &str) -> Result<(), DbError> {
    if script == ADD_SEARCH_TEXT {
        return search_columns::fill(db).await;
    }
    if script == INDEX_SEARCH {
        let own = match db {
            Connection::Sqlite(_) => INDEX_SEARCH_SQLITE,
            _ => INDEX_SEARCH_POSTGRES,
        };
        return db.run_script(own).await;
    }
    Ok(())
}

/// All scripts as SQLite runs them.
#[cfg(test)]
pub(crate) fn sqlite_scripts() -> Vec<String> {
    let own = |script: &str| {
        if script == INDEX_SEARCH {
            INDEX_SEARCH_SQLITE
        } else {
            ""
        }
    };
    let scripts = MIGRATIONS
        .iter()
        .map(|script| format!("{script}\n{}", own(script)));
    std::iter::once(TABLE.to_owned()).chain(scripts).collect()
}

/// Adds the checksums of versions that were applied without one.
async fn record_checksums(db: &mut Connection) -> Result<(), DbError> {
    const RECORD: &str =
        "UPDATE migrations SET checksum = $2 WHERE version = $1 AND checksum IS NULL";
    if !lacks_checksums(db).await? {
        return Ok(());
    }
    for (version, script) in scripts() {
        db.execute(RECORD, params![version, checksum(script)])
            .await?;
    }
    Ok(())
}

async fn lacks_checksums(db: &mut Connection) -> Result<bool, DbError> {
    let missing = "SELECT version FROM migrations WHERE checksum IS NULL";
    Ok(db.find(missing, &[]).await?.is_some())
}

async fn verify_checksums(db: &mut Connection) -> Result<(), TxError<VersionMismatch>> {
    let select = "SELECT version, checksum FROM migrations WHERE checksum IS NOT NULL";
    for mut row in db.query(select, &[]).await? {
        let version = row.int()?;
        let recorded = row.text()?;
        let script = scripts().find(|(known, _)| *known == version);
        if script.is_some_and(|(_, script)| checksum(script) != recorded) {
            return Err(TxError::Rejected(VersionMismatch::Edited { version }));
        }
    }
    Ok(())
}

/// Changes nothing. A missing table of versions means that the database is not migrated, or not
/// readable for this role.
pub(crate) async fn check_version(db: &mut Connection) -> Result<(), TxError<VersionMismatch>> {
    let found = applied_version(db).await.unwrap_or(0);
    if found != latest_known() {
        return Err(TxError::Rejected(VersionMismatch::Version { found }));
    }
    verify_checksums(db).await
}

/// Whether every migration is applied. Checked first, so that a second process does not wait for a
/// busy writer on start.
pub(crate) async fn is_current(db: &mut Connection) -> Result<bool, TxError<VersionMismatch>> {
    // The query fails while the table does not exist.
    let is_newest = applied_version(db)
        .await
        .is_ok_and(|newest| newest == latest_known());
    if !is_newest || lacks_checksums(db).await? {
        return Ok(false);
    }
    verify_checksums(db).await?;
    Ok(true)
}

async fn applied_version(db: &mut Connection) -> Result<i64, DbError> {
    let newest = db.find("SELECT MAX(version) FROM migrations", &[]).await?;
    newest.map_or(Ok(0), |mut row| Ok(row.opt_int()?.unwrap_or(0)))
}
