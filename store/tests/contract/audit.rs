//! The audit chains: their entries, and the detection of changes.

use auth::{AuthStore as _, Role, audit::AuditQuery, store::AuditStore as _};
use sqlx::{Connection as _, Executor as _};
use store::{Chain, ChainStatus, Database, testing::TestDatabase};

use crate::builders::{actor, ada_and_bob, register, timestamp, user};

crate::on_both_databases!(
    operations_and_account_changes_extend_their_audit_chain,
    edited_audit_entry_is_detected,
    forged_audit_entry_is_detected_and_not_listed,
    missing_audit_entry_is_detected,
    rehashed_audit_chain_end_is_detected,
);

/// Runs SQL on the database directly, without the store.
async fn tamper(db: &TestDatabase, sql: &'static str) {
    match &db.database {
        Database::Sqlite(path) => rusqlite::Connection::open(path)
            .unwrap()
            .execute_batch(sql)
            .unwrap(),
        Database::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            connection.execute(sqlx::raw_sql(sql)).await.unwrap();
        }
    }
}

/// A vault whose chain has five entries: its creation and four operations.
async fn record_history(db: &TestDatabase) -> Chain {
    let (ada, _) = ada_and_bob(&db.store).await;
    ada.add("a").await.unwrap();
    ada.check_out("a").await.unwrap();
    ada.check_in("a", 2).await.unwrap();
    ada.delete("a").await.unwrap();
    Chain::Realm(ada.vault)
}

async fn chain_status(db: &TestDatabase, chain: &Chain) -> ChainStatus {
    db.store.verify_audit(chain).await.unwrap()
}

async fn operations_and_account_changes_extend_their_audit_chain(db: TestDatabase) {
    assert_eq!(
        chain_status(&db, &Chain::Accounts).await,
        ChainStatus::Intact { entries: 0 }
    );
    let chain = record_history(&db).await;
    assert_eq!(
        chain_status(&db, &chain).await,
        ChainStatus::Intact { entries: 5 }
    );
    register(&db.store, &["ada"]).await;
    let Chain::Realm(vault) = &chain else {
        panic!("{chain:?}")
    };
    db.store
        .set_role(
            &user("ada"),
            vault,
            Some(Role::Viewer),
            actor("root"),
            timestamp(1),
        )
        .await
        .unwrap();
    assert_eq!(
        chain_status(&db, &Chain::Accounts).await,
        ChainStatus::Intact { entries: 2 }
    );
    assert_eq!(
        chain_status(&db, &chain).await,
        ChainStatus::Intact { entries: 5 }
    );
}

async fn edited_audit_entry_is_detected(db: TestDatabase) {
    let chain = record_history(&db).await;
    for edit in [
        "UPDATE audit SET actor = 'eve' WHERE n = 3 AND chain <> 'accounts'",
        "UPDATE audit SET actor = 'ada', at = at + 1 WHERE n = 3 AND chain <> 'accounts'",
        "UPDATE audit SET at = at - 1, detail = '{}' WHERE n = 3 AND chain <> 'accounts'",
    ] {
        tamper(&db, edit).await;
        assert_eq!(
            chain_status(&db, &chain).await,
            ChainStatus::Broken { at: 3 },
            "{edit}"
        );
    }
    assert_eq!(
        chain_status(&db, &Chain::Accounts).await,
        ChainStatus::Intact { entries: 0 },
        "the chains are independent"
    );
}

async fn forged_audit_entry_is_detected_and_not_listed(db: TestDatabase) {
    // A copy of the newest entry with another actor. A second statement moves it, because the SQL
    // is static.
    const COPY: &str =
        "INSERT INTO audit (chain, n, prev_hash, hash, at, actor, action, subject, detail)
        SELECT chain, 0, prev_hash, 'forged', at, 'eve', action, subject, detail FROM audit
        WHERE n = 5 AND chain <> 'accounts'";
    let chain = record_history(&db).await;
    for (n, place) in [
        (0, "UPDATE audit SET n = 0 WHERE actor = 'eve'"),
        (-7, "UPDATE audit SET n = -7 WHERE actor = 'eve'"),
        (6, "UPDATE audit SET n = 6 WHERE actor = 'eve'"),
        (
            1_000_000_000,
            "UPDATE audit SET n = 1000000000 WHERE actor = 'eve'",
        ),
    ] {
        tamper(&db, COPY).await;
        tamper(&db, place).await;
        assert_eq!(
            chain_status(&db, &chain).await,
            ChainStatus::Broken { at: n },
            "{n}"
        );
        let shown = db
            .store
            .audit(AuditQuery::newest(chain.clone(), 100))
            .await
            .unwrap();
        assert!(
            shown.len() == 5 && shown.iter().all(|entry| entry.actor != "eve"),
            "{n}"
        );
        tamper(&db, "DELETE FROM audit WHERE actor = 'eve'").await;
    }
    assert_eq!(
        chain_status(&db, &chain).await,
        ChainStatus::Intact { entries: 5 }
    );
}

async fn missing_audit_entry_is_detected(db: TestDatabase) {
    let chain = record_history(&db).await;
    tamper(&db, "DELETE FROM audit WHERE n = 5 AND chain <> 'accounts'").await;
    assert_eq!(
        chain_status(&db, &chain).await,
        ChainStatus::Broken { at: 5 },
        "newest entry"
    );
    tamper(&db, "DELETE FROM audit WHERE n = 2 AND chain <> 'accounts'").await;
    assert_eq!(
        chain_status(&db, &chain).await,
        ChainStatus::Broken { at: 2 },
        "entry in between"
    );
    tamper(&db, "DELETE FROM audit WHERE n = 1 AND chain <> 'accounts'").await;
    assert_eq!(
        chain_status(&db, &chain).await,
        ChainStatus::Broken { at: 1 },
        "first entry"
    );
    tamper(&db, "DELETE FROM audit_heads WHERE chain <> 'accounts'").await;
    assert_eq!(
        chain_status(&db, &chain).await,
        ChainStatus::Broken { at: 1 },
        "whole chain"
    );
}

async fn rehashed_audit_chain_end_is_detected(db: TestDatabase) {
    let chain = record_history(&db).await;
    // The last entry gets another hash. No later entry contradicts it.
    tamper(
        &db,
        "UPDATE audit SET hash = 'rewritten' WHERE n = 5 AND chain <> 'accounts'",
    )
    .await;
    assert_eq!(
        chain_status(&db, &chain).await,
        ChainStatus::Broken { at: 5 }
    );
    tamper(
        &db,
        "UPDATE audit_heads SET n = 4 WHERE chain <> 'accounts'",
    )
    .await;
    assert_eq!(
        chain_status(&db, &chain).await,
        ChainStatus::Broken { at: 4 }
    );
}
