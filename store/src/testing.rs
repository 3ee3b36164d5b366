//! Empty databases for tests, of this crate and of those above it: SQLite in a folder, and PostgreSQL in a cluster of
//! the test process's own.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot have its database has failed"
)]

mod cluster;
mod saved;

use std::{
    io::Write as _,
    path::Path,
    sync::{Once, OnceLock},
};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

use crate::{Database, Store};
use cluster::Cluster;
pub use saved::row_counts;

/// A database that nobody else has. What it is made of goes with it.
#[derive(Debug)]
pub struct TestDatabase {
    pub database: Database,
    pub store: Store,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// A second one on the same rows, as another process would open it.
    ///
    /// # Panics
    /// If it does not open.
    pub async fn open_again(&self) -> Store {
        Store::open(&self.database)
            .await
            .expect("the database opens again")
    }
}

/// An empty database of every kind that is installed here.
///
/// # Panics
/// Where `CI` is set and PostgreSQL is not installed: nobody would notice that half of the promises are not kept.
pub async fn databases() -> Vec<TestDatabase> {
    let mut databases = vec![sqlite().await];
    databases.extend(postgres().await);
    databases
}

/// # Panics
/// If there is no place for it.
pub async fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Database::Sqlite(folder.path().join("strongroom.db"));
    open(database, Some(folder)).await
}

/// `None`, said loudly, where PostgreSQL is not installed.
///
/// # Panics
/// As [`databases`].
pub async fn postgres() -> Option<TestDatabase> {
    Some(open(Database::Postgres(new_database().await?), None).await)
}

/// A PostgreSQL database with the rows of `dump`: SQL alone, as `pg_dump --column-inserts` writes it.
/// `None`, with a message on standard error, where PostgreSQL is not installed.
///
/// # Panics
/// As [`databases`], and if the dump cannot be restored.
pub async fn postgres_from_dump(dump: &str) -> Option<Database> {
    let url = new_database().await?;
    saved::restore(&url, dump).await;
    Some(Database::Postgres(url))
}

async fn new_database() -> Option<String> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let start = || CLUSTER.get_or_init(Cluster::start);
    let cluster = tokio::task::spawn_blocking(start)
        .await
        .expect("a cluster of PostgreSQL starts");
    let Some(cluster) = cluster else {
        skipped();
        return None;
    };
    Some(cluster.new_database().await)
}

/// The URL of the same database, for an account that may serve from it and do nothing else.
///
/// # Panics
/// If it is not PostgreSQL.
pub async fn for_serving_only(db: &TestDatabase) -> String {
    let Database::Postgres(url) = &db.database else {
        unreachable!("SQLite has no accounts")
    };
    // Accounts are the cluster's, so each database has one of its own; and a name may hold anything.
    let (_, name) = url.rsplit_once('/').expect("a database in the URL");
    let role = format!("serve\"{name}");
    let create = sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE ROLE \"serve\"\"{name}\" LOGIN"
    )));
    let mut postgres = sqlx::PgConnection::connect(url).await.expect("it connects");
    postgres.execute(create).await.expect("an account is made");
    db.store.grant_to(role).await.expect("it may serve");
    url.replacen("postgres@", &format!("serve%22{name}@"), 1)
}

/// A PostgreSQL on `port` of 0.0.0.0, which is not this machine as far as a URL tells, with the key and certificate of
/// the two files if it speaks TLS. It never ends but with the process.
///
/// # Panics
/// As [`databases`].
pub async fn elsewhere(port: u16, tls: Option<(&Path, &Path)>) -> Option<String> {
    let cluster = Cluster::start_with(|folder| {
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
        ];
        if let Some((key, certificate)) = tls {
            for (name, from) in [("key", key), ("cert", certificate)] {
                let to = folder.join(name);
                std::fs::copy(from, &to).expect("a file for TLS");
                settings.push(format!("ssl_{name}_file={}", to.display()));
            }
            settings.push("ssl=on".to_owned());
        }
        settings
    });
    let Some(cluster) = cluster else {
        skipped();
        return None;
    };
    // The port is part of the socket's name, too.
    let socket = format!("{}?port={port}", cluster.url("postgres"));
    cluster.ready(&socket).await;
    std::mem::forget(cluster);
    Some(format!("postgres://postgres@0.0.0.0:{port}/postgres"))
}

async fn open(database: Database, folder: Option<TempDir>) -> TestDatabase {
    let store = Store::open(&database)
        .await
        .expect("an empty database opens");
    TestDatabase {
        database,
        store,
        _folder: folder,
    }
}

fn skipped() {
    static ONCE: Once = Once::new();
    assert!(
        std::env::var_os("CI").is_none(),
        "PostgreSQL is not installed, and CI is set"
    );
    // Written past the capture of test output: whoever runs the tests shall see it.
    ONCE.call_once(|| {
        drop(std::io::stderr().write_all(b"\nSKIPPED: PostgreSQL is not installed\n\n"))
    });
}
