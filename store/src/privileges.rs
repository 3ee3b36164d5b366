//! The privileges of a PostgreSQL account that serves, and no more. It reads and writes rows. It
//! neither changes tables nor updates rows that are written once.

use auth::store::StoreResult;

use crate::{
    Engine, Store,
    connection::Connection,
    error::{DbError, TxError},
};

/// Each table, and the privileges on its rows. Locking a row (`FOR UPDATE`) needs UPDATE.
pub(crate) const TABLE_PRIVILEGES: [(&str, &str); 27] = [
    ("migrations", "SELECT"),
    // inserted once, never updated or deleted
    ("account_events", "SELECT, INSERT"),
    ("audit", "SELECT, INSERT"),
    ("blobs", "SELECT, INSERT"),
    ("events", "SELECT, INSERT"),
    ("revisions", "SELECT, INSERT"),
    // never deleted
    ("accounts", "SELECT, INSERT, UPDATE"),
    ("audit_heads", "SELECT, INSERT, UPDATE"),
    ("commits", "SELECT, INSERT, UPDATE"),
    ("counters", "SELECT, INSERT, UPDATE"),
    ("overrides", "SELECT, INSERT, UPDATE"),
    ("vaults", "SELECT, INSERT, UPDATE"),
    ("account_groups", ALL_PRIVILEGES),
    ("factors", ALL_PRIVILEGES),
    ("files", ALL_PRIVILEGES),
    ("group_members", ALL_PRIVILEGES),
    ("group_roles", ALL_PRIVILEGES),
    ("idempotency", ALL_PRIVILEGES),
    ("identities", ALL_PRIVILEGES),
    ("keys", ALL_PRIVILEGES),
    ("known_sources", ALL_PRIVILEGES),
    ("members", ALL_PRIVILEGES),
    ("one_time_tokens", ALL_PRIVILEGES),
    ("refresh_tokens", ALL_PRIVILEGES),
    ("sessions", ALL_PRIVILEGES),
    ("sign_in_history", ALL_PRIVILEGES),
    ("throttles", ALL_PRIVILEGES),
];

const ALL_PRIVILEGES: &str = "SELECT, INSERT, UPDATE, DELETE";

impl Store {
    /// Grants a PostgreSQL account the privileges to serve from these tables. Its other privileges
    /// stay.
    ///
    /// # Errors
    /// [`NoDatabaseRoles`] on SQLite; [`StoreUnavailable`](auth::StoreUnavailable) from PostgreSQL,
    /// also for an unknown account.
    pub async fn grant_to(&self, role: String) -> StoreResult<()> {
        let Engine::Postgres(_) = &*self.0 else {
            return Err(auth::StoreUnavailable::from_source(NoDatabaseRoles));
        };
        self.write(role, |db, role| Box::pin(grant(db, role))).await
    }
}

/// Only PostgreSQL has accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SQLite has no database accounts to grant privileges to")]
pub struct NoDatabaseRoles;

async fn grant(db: &mut Connection, role: &str) -> Result<(), TxError<auth::StoreUnavailable>> {
    let role = quoted(role);
    let schema = db.find("SELECT current_schema()::text", &[]).await?;
    let schema = schema
        .ok_or_else(|| DbError::corrupt("the connection has no current schema"))?
        .text()?;
    let schema = quoted(&schema);
    let mut script = format!("GRANT USAGE ON SCHEMA {schema} TO {role};");
    script.extend(
        TABLE_PRIVILEGES
            .map(|(table, rights)| format!("GRANT {rights} ON {schema}.{table} TO {role};")),
    );
    Ok(db.run_script(&script).await?)
}

/// A quoted SQL identifier: the name may contain any character.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
