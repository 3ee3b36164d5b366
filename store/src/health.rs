//! Checks for the readiness of a server: that every table can be read, and that a commit succeeds.

use std::sync::LazyLock;

use auth::store::StoreResult;

use crate::{Store, audit::Chain, error::DbError, privileges::TABLE_PRIVILEGES, value::params};

/// One statement that reads a row of each table, because a statement for each would cost dozens of round
/// trips.
static READ_EVERY_TABLE: LazyLock<String> = LazyLock::new(|| {
    let reads = TABLE_PRIVILEGES
        .map(|(table, _)| format!("(SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT 1) AS one)"));
    format!("SELECT {}", reads.join(" + "))
});

impl Store {
    /// Reads from every table.
    pub async fn check_tables(&self) -> StoreResult<()> {
        self.read((), |db, ()| {
            Box::pin(async move {
                db.find(&READ_EVERY_TABLE, &[]).await?;
                Ok(())
            })
        })
        .await
    }

    /// Commits a write that changes nothing. It costs a sync of the disk.
    pub async fn check_writable(&self) -> StoreResult<()> {
        const WRITE: &str = "UPDATE audit_heads SET n = n WHERE chain = $1";
        self.write((), |db, ()| {
            Box::pin(async move {
                let key = Chain::Accounts.key();
                match db.execute(WRITE, params![key]).await? {
                    1 => Ok(()),
                    _ => Err(DbError::corrupt("the audit chain has no head").into()),
                }
            })
        })
        .await
    }
}
