//! Opening of an old, a newer, an already open and a missing database.

use futures_util::future::join_all;
use sqlx::{Connection as _, Executor as _};
use store::{Database, OpenError, Store, Tls, testing::TestDatabase};
use vault::VaultStore as _;

use crate::builders::{User, ada_and_bob, assert_no_gaps, register};

crate::on_both_databases!(
    reopened_store_keeps_files_and_idempotency_keys,
    newer_database_is_rejected_at_open,
    console_can_write_beside_a_busy_server,
    two_processes_can_share_one_database,
    parallel_first_opens_succeed,
    an_edited_migration_is_refused,
    checksums_missing_in_an_old_database_are_recorded,
);

async fn reopened_store_keeps_files_and_idempotency_keys(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    ada.add("a/b").await.unwrap();
    ada.with_key("key", "request")
        .check_out("a/b")
        .await
        .unwrap();
    let (before, vault, database) = (
        ada.find("a/b").await,
        ada.vault.clone(),
        db.database.clone(),
    );
    drop((ada, db.store));
    let store = Store::open(&database).await.unwrap();
    let ada = User::new(&store, &vault, "ada");
    assert!(before.is_some());
    assert_eq!(ada.find("a/b").await, before);
    assert!(
        ada.with_key("key", "request")
            .check_out("a/b")
            .await
            .unwrap()
            .replayed
    );
    assert_eq!(ada.cancel("a/b").await.unwrap().event, 3);
}

async fn run_script(database: &Database, script: &str) {
    match database {
        Database::Sqlite(path) => rusqlite::Connection::open(path)
            .unwrap()
            .execute_batch(script)
            .unwrap(),
        Database::Postgres(url) => {
            let mut postgres = sqlx::PgConnection::connect(url).await.unwrap();
            postgres
                .execute(sqlx::AssertSqlSafe(script.to_owned()))
                .await
                .unwrap();
        }
    }
}

async fn newer_database_is_rejected_at_open(db: TestDatabase) {
    let newer = "INSERT INTO migrations (version, applied_at) VALUES (99, 0)";
    run_script(&db.database, newer).await;
    let refused = Store::open(&db.database).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 99, .. }));
    assert!(
        refused
            .to_string()
            .starts_with("The database was written by a newer Strongroom (version 99"),
        "{refused}"
    );
}

async fn two_processes_can_share_one_database(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    let other = db.open_again().await;
    let work = |store: Store, of: &'static str| {
        let user = User::new(&store, &ada.vault, of);
        tokio::spawn(async move {
            for n in 0..50 {
                user.add(&format!("{of}/{n}")).await.unwrap();
            }
            register(&user.store, &[of]).await;
        })
    };
    let both = join_all([
        work(db.store.clone(), "server"),
        work(other.clone(), "operator"),
    ])
    .await;
    for done in both {
        done.unwrap();
    }
    assert_no_gaps(&db.store, &ada.vault).await;
    assert_eq!(other.heads(&ada.vault).await.unwrap().change, 100);
}

async fn console_can_write_beside_a_busy_server(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    let busy: Vec<_> = (0..8)
        .map(|client| {
            let ada = ada.clone();
            tokio::spawn(async move {
                for n in 0.. {
                    ada.add(&format!("{client}-{n}")).await.unwrap();
                }
            })
        })
        .collect();
    for name in ["one", "two", "three"] {
        register(&db.open_again().await, &[name]).await;
    }
    busy.iter().for_each(tokio::task::JoinHandle::abort);
    for client in busy {
        assert!(
            client.await.unwrap_err().is_cancelled(),
            "no write of the server failed"
        );
    }
}

async fn parallel_first_opens_succeed(db: TestDatabase) {
    let empty = match &db.database {
        Database::Sqlite(path) => Database::Sqlite(path.with_file_name("another.db")),
        Database::Postgres(url) => {
            let nothing = sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
            sqlx::PgConnection::connect(url)
                .await
                .unwrap()
                .execute(nothing)
                .await
                .unwrap();
            db.database.clone()
        }
    };
    let starts = (0..4).map(|_| {
        let empty = empty.clone();
        tokio::spawn(async move { Store::open(&empty).await.unwrap() })
    });
    for store in join_all(starts).await {
        assert!(store.unwrap().vaults().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn database_open_error_omits_the_password() {
    let sqlite = Database::parse("sqlite:///nowhere/at/all.db", Tls::Verified).unwrap();
    let error = Store::open(&sqlite).await.unwrap_err().to_string();
    assert!(error.contains("sqlite:///nowhere/at/all.db"), "{error}");
    let postgres =
        Database::parse("postgres://ada:hunter2@127.0.0.1:1/vault", Tls::Verified).unwrap();
    let error = Store::open(&postgres).await.unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:1/vault"), "{error}");
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn sqlite_files_are_readable_by_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let db = store::testing::sqlite().await;
    register(&db.store, &["ada"]).await;
    let Database::Sqlite(path) = &db.database else {
        panic!("{:?}", db.database)
    };
    for companion in ["", "-wal", "-shm"] {
        let file = format!("{}{companion}", path.display());
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

async fn an_edited_migration_is_refused(db: TestDatabase) {
    run_script(
        &db.database,
        "UPDATE migrations SET checksum = 'edited' WHERE version = 3",
    )
    .await;
    let refused = Store::open(&db.database).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Edited { version: 3 }),
        "{refused}"
    );
}

async fn checksums_missing_in_an_old_database_are_recorded(db: TestDatabase) {
    run_script(&db.database, "UPDATE migrations SET checksum = NULL").await;
    drop(Store::open(&db.database).await.unwrap());
    run_script(
        &db.database,
        "UPDATE migrations SET checksum = 'edited' WHERE checksum IS NULL",
    )
    .await;
    // No checksum is NULL any more.
    drop(Store::open(&db.database).await.unwrap());
}
