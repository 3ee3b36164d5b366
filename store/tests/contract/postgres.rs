//! PostgreSQL alone: the connection, and the account with the least privileges.

use std::{borrow::Cow, path::Path, process::Command};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use store::{Database, Migrations, OpenError, Store, Tls, testing};

use crate::builders::{ada_and_bob, register};

#[tokio::test(flavor = "multi_thread")]
async fn unprivileged_postgresql_role_cannot_alter_schema_or_history() {
    let Some(db) = testing::postgres().await else {
        return;
    };
    let url = testing::serving_only_url(&db).await;
    let database = Database::parse(&url, Tls::Verified).unwrap();
    let store = Store::open_with(&database, Migrations::Expect)
        .await
        .unwrap();
    let (ada, _) = ada_and_bob(&store).await;
    ada.add("a/b").await.unwrap();
    ada.check_out("a/b").await.unwrap();
    ada.cancel("a/b").await.unwrap();

    let mut serving = sqlx::PgConnection::connect(&url).await.unwrap();
    for refused in [
        "CREATE TABLE mine (a BIGINT)",
        "ALTER TABLE accounts ADD COLUMN mine BIGINT",
        "DROP TABLE audit",
        "TRUNCATE one_time_tokens",
        "UPDATE audit SET actor = 'eve'",
        "DELETE FROM audit",
        "UPDATE revisions SET author = 'eve'",
        "DELETE FROM revisions",
        "UPDATE events SET actor = 'eve'",
        "DELETE FROM events",
        "DELETE FROM accounts",
        "INSERT INTO migrations (version, applied_at) VALUES (99, 0)",
    ] {
        let error = serving.execute(refused).await.expect_err(refused);
        let code = error
            .as_database_error()
            .and_then(|error| error.code().map(Cow::into_owned));
        assert_eq!(code.as_deref(), Some("42501"), "{refused}: {error}");
    }
    let all = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    for table in serving.fetch_all(all).await.unwrap() {
        let table: String = table.get(0);
        let look = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        serving
            .execute(sqlx::raw_sql(look))
            .await
            .unwrap_or_else(|error| panic!("{table} has no grant: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outdated_postgresql_without_migration_right_is_rejected() {
    let Some(db) = testing::postgres().await else {
        return;
    };
    let url = testing::serving_only_url(&db).await;
    let Database::Postgres(owner) = &db.database else {
        panic!("{:?}", db.database)
    };
    let mut owner = sqlx::PgConnection::connect(owner).await.unwrap();
    let newest = "DELETE FROM migrations WHERE version = (SELECT MAX(version) FROM migrations)";
    owner.execute(newest).await.unwrap();
    let refused = Store::open_with(&Database::Postgres(url), Migrations::Expect)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, OpenError::Older { found, known } if found + 1 == known),
        "{refused:?}"
    );
    assert!(
        refused.to_string().contains("strongroom migrate"),
        "{refused}"
    );

    owner
        .execute(sqlx::raw_sql(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
        ))
        .await
        .unwrap();
    let refused = Store::open_with(&db.database, Migrations::Expect)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, OpenError::Older { found: 0, .. }),
        "{refused:?}"
    );
    let tables = owner
        .fetch_all("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
        .await
        .unwrap();
    assert!(tables.is_empty(), "no table was created");
}

#[tokio::test]
async fn outdated_sqlite_file_is_rejected_without_migration() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Sqlite(folder.path().join("strongroom.db"));
    let refused = Store::open_with(&database, Migrations::Expect)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, OpenError::Older { found: 0, .. }),
        "{refused:?}"
    );
    let store = Store::open(&database).await.unwrap();
    register(
        &Store::open_with(&database, Migrations::Expect)
            .await
            .unwrap(),
        &["ada"],
    )
    .await;
    assert!(
        store
            .grant_to("ada".to_owned())
            .await
            .unwrap_err()
            .to_string()
            .contains("unavailable")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_postgresql_requires_matching_tls_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, own, others) = (
        create_ca(folder.path()),
        folder.path().join("own"),
        folder.path().join("others"),
    );
    sign_certificate(folder.path(), &own, "IP:0.0.0.0");
    sign_certificate(folder.path(), &others, "DNS:db.example");
    let pair = |name: &Path| (name.with_extension("key"), name.with_extension("pem"));
    let mut urls = Vec::new();
    for files in [None, Some(pair(&own)), Some(pair(&others))] {
        let files = files
            .as_ref()
            .map(|(key, certificate)| (key.as_path(), certificate.as_path()));
        let Some(url) = testing::postgres_on_port(free_port(), files).await else {
            return;
        };
        urls.push(url);
    }
    let open = async |url: String| {
        let store = Store::open(&Database::parse(&url, Tls::Verified).unwrap()).await;
        store.map(drop).map_err(|error| error.to_string())
    };
    let trusted = |url: &str| format!("{url}?sslrootcert={ca}");
    let [clear, own, others] = &urls[..] else {
        panic!("{urls:?}")
    };
    assert!(
        open(clear.clone()).await.unwrap_err().contains("TLS"),
        "no fallback to plain text"
    );
    assert!(
        open(own.clone())
            .await
            .unwrap_err()
            .contains("UnknownIssuer"),
        "the issuer is unknown"
    );
    assert!(
        open(trusted(others))
            .await
            .unwrap_err()
            .contains("not valid for name"),
        "the certificate is of another host"
    );
    open(trusted(own)).await.unwrap();
    let mut own = sqlx::PgConnection::connect(&format!("{}&sslmode=verify-full", trusted(own)))
        .await
        .unwrap();
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_addr IS NOT NULL";
    assert!(own.fetch_one(encrypted).await.unwrap().get::<bool, _>(0));
    // Plain text needs an explicit setting.
    let clear = Database::parse(&format!("{clear}?sslmode=disable"), Tls::FromUrl).unwrap();
    Store::open(&clear).await.unwrap();
}

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

const OPENSSL_KEY_OPTIONS: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

/// Creates a certificate authority and returns the path of its certificate.
fn create_ca(folder: &Path) -> String {
    openssl(
        folder,
        &format!(
            "req -x509 {OPENSSL_KEY_OPTIONS} -keyout ca.key -out ca.pem -days 1 -subj /CN=Ours"
        ),
    );
    folder.join("ca.pem").display().to_string()
}

fn sign_certificate(folder: &Path, name: &Path, whose: &str) {
    let name = name.display();
    std::fs::write(folder.join("names"), format!("subjectAltName={whose}")).unwrap();
    openssl(
        folder,
        &format!("req {OPENSSL_KEY_OPTIONS} -keyout {name}.key -out {name}.csr -subj /CN=database"),
    );
    let by = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile names";
    openssl(
        folder,
        &format!("x509 -req -in {name}.csr {by} -out {name}.pem"),
    );
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
