//! `docs/security/data.md` classifies exactly the columns of the database.

use std::{collections::BTreeSet, path::Path};

use sqlx::{Connection as _, Executor as _, Row as _};
use store::{Database, testing::TestDatabase};

crate::on_both_databases!(database_columns_match_the_data_classification);

async fn database_columns_match_the_data_classification(db: TestDatabase) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/security/data.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (classified, existing) = (
        documented_columns(&page),
        schema_columns(&db.database).await,
    );
    let missing: Vec<_> = existing.difference(&classified).collect();
    assert!(
        missing.is_empty(),
        "data.md lacks these columns: {missing:?}"
    );
    let gone: Vec<_> = classified.difference(&existing).collect();
    assert!(
        gone.is_empty(),
        "data.md has columns that do not exist: {gone:?}"
    );
    assert!(existing.len() > 150, "{} columns", existing.len());
}

/// `table.column` from the first cells of the rows with a class, without duplicates.
fn documented_columns(page: &str) -> BTreeSet<String> {
    const CLASSES: [&str; 5] = ["secret", "personal", "work", "record", "internal"];
    let mut columns = BTreeSet::new();
    for row in page
        .split("\n## ")
        .next()
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("| `"))
    {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [names, class, protected, retention] = cells[..] else {
            panic!("not four cells: {row}")
        };
        assert!(
            CLASSES.contains(&class) && !protected.is_empty() && !retention.is_empty(),
            "{row}"
        );
        for name in names.split(", ").map(|name| name.trim_matches('`')) {
            assert!(columns.insert(name.to_owned()), "{name} occurs twice");
        }
    }
    columns
}

async fn schema_columns(database: &Database) -> BTreeSet<String> {
    match database {
        Database::Sqlite(path) => {
            let sqlite = rusqlite::Connection::open(path).unwrap();
            let all =
                "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
                WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'file_grams%'";
            let mut all = sqlite.prepare(all).unwrap();
            all.query_map([], |row| row.get(0))
                .unwrap()
                .map(Result::unwrap)
                .collect()
        }
        Database::Postgres(url) => {
            let all = "SELECT table_name || '.' || column_name FROM information_schema.columns
                WHERE table_schema = 'public'";
            let mut postgres = sqlx::PgConnection::connect(url).await.unwrap();
            postgres
                .fetch_all(all)
                .await
                .unwrap()
                .iter()
                .map(|row| row.get(0))
                .collect()
        }
    }
}
