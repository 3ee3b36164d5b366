//! Brings the tables up to date on start, or looks whether they are. Migrations append: a published one is never edited.

use auth::Clock;

use crate::{
    OpenError,
    connection::Connection,
    error::{DbError, TxError},
    value::params,
};

/// In order; the version is the place, from 1.
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
];

/// Whether whoever opens the database may change its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    /// They are brought up to date.
    Apply,
    /// They are as this program knows them, or it does not open: for an account that may not change them.
    Expect,
}

/// The database is of another version than this program.
#[derive(Debug)]
pub(crate) struct VersionMismatch {
    found: i64,
}

impl From<VersionMismatch> for OpenError {
    fn from(VersionMismatch { found }: VersionMismatch) -> Self {
        let known = latest_known();
        if found > known {
            Self::Newer { found, known }
        } else {
            Self::Older { found, known }
        }
    }
}

fn latest_known() -> i64 {
    MIGRATIONS.iter().map(|_| 1).sum()
}

/// Runs inside the transaction that the caller has begun. Two programs may start at once: whoever inserts the version
/// first does the work, the other one waits for it.
pub(crate) async fn migrate(
    db: &mut Connection,
    clock: &Clock,
) -> Result<(), TxError<VersionMismatch>> {
    const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (version BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)";
    db.execute(TABLE, &[]).await?;
    let found = applied_version(db).await?;
    if found > latest_known() {
        return Err(TxError::Rejected(VersionMismatch { found }));
    }
    for (version, script) in (1..).zip(MIGRATIONS.iter().copied()) {
        const CLAIM: &str =
            "INSERT INTO migrations (version, applied_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let version: i64 = version;
        if version > found && db.execute(CLAIM, params![version, clock.now()]).await? == 1 {
            db.run_script(script).await?;
        }
    }
    Ok(())
}

/// Changes nothing. A database without a table of versions is one that nobody has migrated yet, or not for this account.
pub(crate) async fn check_version(db: &mut Connection) -> Result<(), TxError<VersionMismatch>> {
    let found = applied_version(db).await.unwrap_or(0);
    if found == latest_known() {
        Ok(())
    } else {
        Err(TxError::Rejected(VersionMismatch { found }))
    }
}

/// Nothing is to be done: asked first, so that a program that starts beside a busy one need not wait for its turn.
pub(crate) async fn is_current(db: &mut Connection) -> bool {
    // Fails where there is no table yet.
    applied_version(db)
        .await
        .is_ok_and(|newest| newest == latest_known())
}

async fn applied_version(db: &mut Connection) -> Result<i64, DbError> {
    let newest = db.find("SELECT MAX(version) FROM migrations", &[]).await?;
    newest.map_or(Ok(0), |mut row| Ok(row.opt_int()?.unwrap_or(0)))
}
