//! What an account of PostgreSQL that serves needs, and no more: it reads and writes rows, and neither changes tables nor
//! rewrites what is only ever written once.

use auth::store::StoreResult;

use crate::{
    Engine, Store,
    connection::Connection,
    error::{DbError, TxError},
};

/// Each table, and what is done to its rows. Holding a row (`FOR UPDATE`) takes the right to update it.
const TABLE_PRIVILEGES: [(&str, &str); 26] = [
    ("migrations", "SELECT"),
    // written once, and never edited or taken out
    ("account_events", "SELECT, INSERT"),
    ("audit", "SELECT, INSERT"),
    ("blobs", "SELECT, INSERT"),
    ("events", "SELECT, INSERT"),
    ("revisions", "SELECT, INSERT"),
    // never taken out
    ("accounts", "SELECT, INSERT, UPDATE"),
    ("audit_heads", "SELECT, INSERT, UPDATE"),
    ("commits", "SELECT, INSERT, UPDATE"),
    ("counters", "SELECT, INSERT, UPDATE"),
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
    /// Lets an account of PostgreSQL serve from these tables. Its other rights stay as they are.
    ///
    /// # Errors
    /// [`BadRole`] from SQLite, which has no accounts; [`Unavailable`](auth::Unavailable) from PostgreSQL, also where
    /// there is no such account.
    pub async fn grant_to(&self, role: String) -> StoreResult<()> {
        let Engine::Postgres(_) = &*self.0 else {
            return Err(auth::StoreUnavailable::from_source(NoDatabaseRoles));
        };
        self.write(role, |db, role| Box::pin(grant(db, role))).await
    }
}

/// Only PostgreSQL has accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SQLite has no accounts to grant anything to: the database is a file")]
pub struct NoDatabaseRoles;

async fn grant(db: &mut Connection, role: &str) -> Result<(), TxError<auth::StoreUnavailable>> {
    let role = quoted(role);
    let schema = db.find("SELECT current_schema()::text", &[]).await?;
    let schema = schema
        .ok_or_else(|| DbError::corrupt("there is no schema"))?
        .text()?;
    let schema = quoted(&schema);
    let mut script = format!("GRANT USAGE ON SCHEMA {schema} TO {role};");
    script.extend(
        TABLE_PRIVILEGES
            .map(|(table, rights)| format!("GRANT {rights} ON {schema}.{table} TO {role};")),
    );
    Ok(db.run_script(&script).await?)
}

/// A name as SQL has it: it may hold anything.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
