//! Databases that an earlier version of the program made.

use std::{collections::BTreeMap, path::Path};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use crate::Database;

/// Runs `dump` on the empty database at `url`.
pub(super) async fn restore_dump(url: &str, dump: &str) {
    let mut postgres = sqlx::PgConnection::connect(url)
        .await
        .expect("the new database answers");
    postgres
        .execute(sqlx::raw_sql(AssertSqlSafe(dump.to_owned())))
        .await
        .expect("the dump is restored");
    postgres.close().await.expect("the connection closes");
}

/// The number of rows of each table, by the table's name.
///
/// # Panics
/// If the database does not answer.
pub async fn row_counts(database: &Database) -> BTreeMap<String, i64> {
    match database {
        Database::Sqlite(path) => sqlite_row_counts(path),
        Database::Postgres(url) => postgres_row_counts(url).await,
    }
}

fn sqlite_row_counts(path: &Path) -> BTreeMap<String, i64> {
    let sqlite = rusqlite::Connection::open(path).expect("the database opens");
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut names = sqlite.prepare(names).expect("the tables are listed");
    let names = names
        .query_map([], |row| row.get::<_, String>(0))
        .expect("the tables are listed");
    let count = |name: String| {
        let count = format!("SELECT count(*) FROM \"{name}\"");
        let count = sqlite
            .query_row(&count, [], |row| row.get(0))
            .expect("the rows are counted");
        (name, count)
    };
    names
        .map(|name| count(name.expect("a table has a name")))
        .collect()
}

async fn postgres_row_counts(url: &str) -> BTreeMap<String, i64> {
    let mut postgres = sqlx::PgConnection::connect(url)
        .await
        .expect("the database answers");
    let names = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let names = postgres
        .fetch_all(names)
        .await
        .expect("the tables are listed");
    let mut counts = BTreeMap::new();
    for name in names {
        let name: String = name.get(0);
        let count = sqlx::raw_sql(AssertSqlSafe(format!("SELECT count(*) FROM \"{name}\"")));
        let count = postgres
            .fetch_one(count)
            .await
            .expect("the rows are counted")
            .get(0);
        counts.insert(name, count);
    }
    counts
}
