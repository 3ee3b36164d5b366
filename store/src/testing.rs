//! Empty databases for tests, of this crate and of those above it: SQLite in a folder, and PostgreSQL in a cluster of
//! the test process's own.
#![expect(clippy::expect_used, reason = "a test that cannot have its database has failed")]

mod cluster;

use std::{
    io::Write as _,
    sync::{Once, OnceLock},
};

use tempfile::TempDir;

use crate::{Database, Store};
use cluster::Cluster;

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
        Store::open(&self.database).await.expect("the database opens again")
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
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let start = || CLUSTER.get_or_init(Cluster::start);
    let cluster = tokio::task::spawn_blocking(start).await.expect("a cluster of PostgreSQL starts");
    let Some(cluster) = cluster else {
        skipped();
        return None;
    };
    Some(open(Database::Postgres(cluster.new_database().await), None).await)
}

async fn open(database: Database, folder: Option<TempDir>) -> TestDatabase {
    let store = Store::open(&database).await.expect("an empty database opens");
    TestDatabase { database, store, _folder: folder }
}

fn skipped() {
    static ONCE: Once = Once::new();
    assert!(std::env::var_os("CI").is_none(), "PostgreSQL is not installed, and CI is set");
    // Written past the capture of test output: whoever runs the tests shall see it.
    ONCE.call_once(|| drop(std::io::stderr().write_all(b"\nSKIPPED: PostgreSQL is not installed\n\n")));
}
