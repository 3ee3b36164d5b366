//! Empty databases for tests, of this crate and those above it: SQLite in a folder, and PostgreSQL
//! in a cluster of the test process.
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

use cluster::Cluster;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

pub use saved::row_counts;

use crate::{Database, Store};

/// A database for one test, deleted when dropped.
#[derive(Debug)]
pub struct TestDatabase {
    pub database: Database,
    pub store: Store,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// A second store on the same rows, as another process would open it.
    ///
    /// # Panics
    /// If it does not open.
    pub async fn open_again(&self) -> Store {
        Store::open(&self.database)
            .await
            .expect("the database opens again")
    }
}

/// An empty database of every kind that is installed.
///
/// # Panics
/// If `CI` is set and PostgreSQL is not installed: half of the tests would be skipped unnoticed.
pub async fn databases() -> Vec<TestDatabase> {
    let mut databases = vec![sqlite().await];
    databases.extend(postgres().await);
    databases
}

/// # Panics
/// If the temporary folder cannot be created.
pub async fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Database::Sqlite(folder.path().join("strongroom.db"));
    open_store(database, Some(folder)).await
}

/// `None`, with a message on standard error, where PostgreSQL is not installed.
///
/// # Panics
/// As [`databases`].
pub async fn postgres() -> Option<TestDatabase> {
    Some(open_store(Database::Postgres(new_database().await?), None).await)
}

/// A PostgreSQL database with the rows of `dump`: SQL alone, as `pg_dump --column-inserts` writes
/// it. `None`, with a message on standard error, where PostgreSQL is not installed.
///
/// # Panics
/// As [`databases`], and if the dump cannot be restored.
pub async fn postgres_from_dump(dump: &str) -> Option<Database> {
    let url = new_database().await?;
    saved::restore_dump(&url, dump).await;
    Some(Database::Postgres(url))
}

async fn new_database() -> Option<String> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let start = || CLUSTER.get_or_init(Cluster::start);
    let cluster = tokio::task::spawn_blocking(start)
        .await
        .expect("the PostgreSQL cluster starts");
    let Some(cluster) = cluster else {
        report_skipped();
        return None;
    };
    Some(cluster.new_database().await)
}

/// The URL of the same database, for an account that may only serve from it.
///
/// # Panics
/// If it is not PostgreSQL.
pub async fn serving_only_url(db: &TestDatabase) -> String {
    let Database::Postgres(url) = &db.database else {
        unreachable!("SQLite has no accounts")
    };
    // Accounts belong to the cluster, so each database has its own. Its name contains a quote,
    // because any character is allowed.
    let (_, name) = url.rsplit_once('/').expect("a database in the URL");
    let role = format!("serve\"{name}");
    let create = sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE ROLE \"serve\"\"{name}\" LOGIN"
    )));
    let mut postgres = sqlx::PgConnection::connect(url)
        .await
        .expect("the database connects");
    postgres
        .execute(create)
        .await
        .expect("the database account is created");
    db.store
        .grant_to(role)
        .await
        .expect("the privileges are granted");
    url.replacen("postgres@", &format!("serve%22{name}@"), 1)
}

/// A PostgreSQL on `port` of 0.0.0.0, an address that a URL check does not recognize as local. It
/// speaks TLS if given key and certificate files. It ends with the process.
///
/// # Panics
/// As [`databases`].
pub async fn postgres_on_port(port: u16, tls: Option<(&Path, &Path)>) -> Option<String> {
    let cluster = Cluster::start_with(|folder| {
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
        ];
        if let Some((key, certificate)) = tls {
            for (name, from) in [("key", key), ("cert", certificate)] {
                let to = folder.join(name);
                std::fs::copy(from, &to).expect("the TLS file is copied");
                settings.push(format!("ssl_{name}_file={}", to.display()));
            }
            settings.push("ssl=on".to_owned());
        }
        settings
    });
    let Some(cluster) = cluster else {
        report_skipped();
        return None;
    };
    // The port is part of the socket's name too.
    let socket = format!("{}?port={port}", cluster.url("postgres"));
    cluster.wait_until_ready(&socket).await;
    std::mem::forget(cluster);
    Some(format!("postgres://postgres@0.0.0.0:{port}/postgres"))
}

async fn open_store(database: Database, folder: Option<TempDir>) -> TestDatabase {
    let store = Store::open(&database)
        .await
        .expect("an empty database opens");
    TestDatabase {
        database,
        store,
        _folder: folder,
    }
}

fn report_skipped() {
    static ONCE: Once = Once::new();
    assert!(
        std::env::var_os("CI").is_none(),
        "PostgreSQL is not installed, and CI is set"
    );
    // Bypasses the capture of test output, so that the message is always visible.
    ONCE.call_once(|| {
        drop(std::io::stderr().write_all(b"\nSKIPPED: PostgreSQL is not installed\n\n"));
    });
}
