//! Migrations keep every row, and the audit as it was written.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use store::{Store, testing};

use super::fixture::Fixture;

/// Tables that were renamed since: the first version's name, and the present one.
const RENAMED_TABLES: [(&str, &str); 3] = [
    ("acquaintances", "known_sources"),
    ("places", "sign_in_history"),
    ("slips", "one_time_tokens"),
];
/// Each migration adds a row.
const MIGRATIONS_TABLE: &str = "migrations";

async fn migrated_tables_keep_every_row(fixture: Fixture) {
    let before: BTreeMap<String, i64> =
        serde_json::from_value(fixture.secrets["rows"].clone()).unwrap();
    assert_eq!(
        testing::row_counts(&fixture.database).await,
        before,
        "the fixture is unchanged"
    );
    assert!(
        before.values().all(|rows| *rows > 0),
        "every table has rows: {before:?}"
    );
    let store = Store::open(&fixture.database).await.unwrap();
    assert_eq!(audit_heads(&store).await, written_heads(&fixture));
    drop(store);
    let after = testing::row_counts(&fixture.database).await;
    for (table, rows) in before
        .iter()
        .filter(|(table, _)| *table != MIGRATIONS_TABLE)
    {
        let present = RENAMED_TABLES
            .iter()
            .find(|(old, _)| old == table)
            .map_or(table.as_str(), |(_, present)| present);
        assert_eq!(after.get(present), Some(rows), "{table}, now {present}");
    }
}

/// The last entry of each audit chain, as `keys/audit-seen.json` has them.
async fn audit_heads(store: &Store) -> Value {
    let heads = store.audit_heads().await.unwrap().into_iter();
    heads
        .map(|head| (head.chain, json!({"n": head.n, "hash": head.hash})))
        .collect()
}

fn written_heads(fixture: &Fixture) -> Value {
    let file = fixture.data.path().join("keys/audit-seen.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

mod migrated_tables_keep_every_row {
    use super::Fixture;

    #[tokio::test(flavor = "multi_thread")]
    async fn on_sqlite() {
        super::migrated_tables_keep_every_row(Fixture::sqlite()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn on_postgresql() {
        if let Some(fixture) = Fixture::postgresql().await {
            super::migrated_tables_keep_every_row(fixture).await;
        }
    }
}
