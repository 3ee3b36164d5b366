//! Searches in a vault of 1,000,000 files, measured by hand: `cargo test --release -p store --
//! million --ignored --nocapture`.

use std::time::Instant;

use vault::{
    order::{Direction, Sort, SortColumn},
    search::Search,
};

use super::*;

const FILES: i64 = 1_000_000;

/// Rows as `files::write` makes them; one in 1,000 has a description.
const FILL: &str = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 - 1),
    named AS (SELECT i, printf('f%03d/part %d %s.step', i % 1000, i, hex(i * 2654435761 % 4294967296)) AS path FROM n)
    INSERT INTO files (vault_id, file_id, kind, path, path_key, parent_key, leaf_key, description, revision, change,
        oid, size, modified_at, modified_by, grants, deleted, natural_key, search_text)
    SELECT 'v', printf('%08d', i), 1, path, lower(path), printf('f%03d', i % 1000), lower(substr(path, 6)),
        CASE WHEN i % 1000 = 7 THEN printf('spindle %d', i) END, 1, i, '', i, i, 'ada', 0, 0,
        printf('f03%03d part %02x%d %s.step', i % 1000, length(i), i, i),
        '/' || lower(path) || char(10) || CASE WHEN i % 1000 = 7 THEN printf('spindle %d', i) ELSE '' END
    FROM named";

/// The search of before: a part of the key, on every row.
const BEFORE: &str = "SELECT path FROM files WHERE vault_id = 'v' AND deleted = 0 AND kind = 1
    AND instr(path_key, ?1) > 0 ORDER BY path_key LIMIT 100";

#[tokio::test]
#[ignore = "takes minutes; prints times"]
async fn searches_of_a_million_files_are_timed() {
    let sqlite = rusqlite::Connection::open_in_memory().unwrap();
    for script in crate::migrate::sqlite_scripts() {
        sqlite
            .execute_batch(&crate::connection::for_sqlite(&script))
            .unwrap();
    }
    let started = Instant::now();
    sqlite.execute(FILL, [FILES]).unwrap();
    eprintln!("{FILES} files: {:.1?}", started.elapsed());
    let mut db = Connection::Sqlite(sqlite);
    for text in [
        "999999",
        "part 999999",
        "spindle 5007",
        "step",
        "*.step",
        "absent",
        "zz",
    ] {
        let before = time_before(&db, text);
        let query = FileQuery {
            search: Search::parse(text),
            sort: Sort {
                column: SortColumn::Name,
                direction: Direction::Ascending,
            },
            limit: 100,
            ..FileQuery::default()
        };
        let started = Instant::now();
        let found = files(&mut db, &(VaultId::new("v"), query)).await.unwrap();
        eprintln!(
            "{text:?}: before {before:.1?}, now {:.1?} ({} found)",
            started.elapsed(),
            found.len()
        );
        assert!(found.len() <= 100);
    }
}

fn time_before(db: &Connection, text: &str) -> std::time::Duration {
    let Connection::Sqlite(sqlite) = db else {
        unreachable!("the database is SQLite")
    };
    let mut statement = sqlite.prepare(BEFORE).unwrap();
    let started = Instant::now();
    let rows = statement
        .query_map([text], |row| row.get::<_, String>(0))
        .unwrap();
    let _ = rows.count();
    started.elapsed()
}
