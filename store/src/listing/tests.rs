use auth::Username;
use vault::{
    NameKey,
    order::{Direction, Position, Sort, SortColumn, SortValue},
    search::Search,
    store::{FolderQuery, LockFilter},
};

use super::{
    select::{after_all_with, position_values},
    *,
};

#[test]
fn prefix_range_ends_before_next_text() {
    assert_eq!(after_all_with("ab").as_deref(), Some("ac"));
    assert_eq!(after_all_with("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
    assert_eq!(after_all_with("a\u{10ffff}").as_deref(), Some("b"));
    assert_eq!(after_all_with("\u{10ffff}"), None);
    assert_eq!(after_all_with(""), None);
}

#[test]
fn search_wildcards_are_escaped() {
    assert_eq!(like(r"50%_a\b"), r"%50\%\_a\\b%");
}

/// The plan of SQLite, on all tables without rows.
fn plan(select: &Select) -> String {
    let sqlite = rusqlite::Connection::open_in_memory().unwrap();
    for script in crate::migrate::sqlite_scripts() {
        sqlite
            .execute_batch(&crate::connection::for_sqlite(&script))
            .unwrap();
    }
    let mut explain = sqlite
        .prepare(&format!(
            "EXPLAIN QUERY PLAN {}",
            crate::connection::for_sqlite(&select.sql)
        ))
        .unwrap();
    let steps = explain
        .query_map(rusqlite::params_from_iter(&select.params), |row| {
            row.get::<_, String>(3)
        })
        .unwrap();
    steps.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
}

fn sorted(column: SortColumn, direction: Direction) -> FileQuery {
    FileQuery {
        sort: Sort { column, direction },
        limit: 100,
        ..FileQuery::default()
    }
}

fn assert_plan(select: &Select, index: &str) {
    let plan = plan(select);
    assert!(
        plan.starts_with(&format!("SEARCH files USING INDEX {index} (")),
        "{}: {plan}",
        select.sql
    );
    assert!(!plan.contains("TEMP B-TREE"), "{}: {plan}", select.sql);
}

fn statement(query: &FileQuery) -> Select {
    page(&VaultId::new("v"), query, &Candidates::All)
}

#[test]
fn file_list_pages_use_an_index_without_sorting() {
    let ada = || Username::parse("ada").unwrap();
    let named = |name| Some(Position::of_name(NameKey::fold(name)));
    let queries = [
        ("files_name", FileQuery::default()),
        (
            "files_name",
            FileQuery {
                after: named("m"),
                prefix: Some(NameKey::fold("a")),
                ..FileQuery::default()
            },
        ),
        (
            "files_name",
            FileQuery {
                search: Search::parse("gear"),
                holder: Some(LockFilter::Unlocked),
                ..FileQuery::default()
            },
        ),
        (
            "files_held",
            FileQuery {
                holder: Some(LockFilter::Locked),
                ..FileQuery::default()
            },
        ),
        (
            "files_held",
            FileQuery {
                holder: Some(LockFilter::NotLockedBy(ada())),
                ..FileQuery::default()
            },
        ),
        (
            "files_held_by",
            FileQuery {
                holder: Some(LockFilter::LockedBy(ada())),
                after: named("m"),
                ..FileQuery::default()
            },
        ),
    ];
    for (index, query) in queries {
        assert_plan(&statement(&query), index);
    }
}

#[test]
fn sorted_file_lists_use_an_index_without_sorting() {
    use Direction::{Ascending, Descending};
    for direction in [Ascending, Descending] {
        for (column, index, value) in [
            (SortColumn::Name, "files_by_name", SortValue::Name),
            (SortColumn::Size, "files_by_size", SortValue::Size(9)),
            (
                SortColumn::Changed,
                "files_by_change",
                SortValue::Changed(jiff::Timestamp::UNIX_EPOCH),
            ),
            (
                SortColumn::Holder,
                "files_by_holder",
                SortValue::Holder(None),
            ),
        ] {
            let mut query = sorted(column, direction);
            assert_plan(&statement(&query), index);
            query.after = Some(Position {
                value,
                name: NameKey::fold("m"),
            });
            assert_plan(&statement(&query), index);
        }
    }
}

#[test]
fn search_looks_up_candidates_in_the_index() {
    let query = FileQuery {
        search: Search::parse("gear"),
        ..sorted(SortColumn::Name, Direction::Ascending)
    };
    let candidates = Candidates::Sqlite("\"gea\" AND \"ear\"".to_owned());
    let plan = plan(&page(&VaultId::new("v"), &query, &candidates));
    assert!(
        plan.contains("USING INDEX files_search_id (search_id=?)")
            && plan.contains("SCAN file_grams VIRTUAL TABLE INDEX"),
        "{plan}"
    );
}

#[test]
fn folder_pages_use_an_index_without_sorting() {
    let query = FolderQuery {
        sort: Sort {
            column: SortColumn::Name,
            direction: Direction::Ascending,
        },
        ..FolderQuery::default()
    };
    assert_plan(
        &folder::statement(&VaultId::new("v"), &query),
        "files_in_folder_by_name",
    );
}

#[test]
fn deleted_pages_use_an_index_without_sorting() {
    let gone = plan(&Select {
        sql: format!("SELECT path {DELETED_PAGE}"),
        params: params!["v", 9_i64, 100_u32].to_vec(),
    });
    assert!(
        gone.starts_with("SEARCH f USING INDEX files_deleted_last ("),
        "{gone}"
    );
    assert!(
        !gone.contains("TEMP B-TREE") && !gone.contains("SCAN"),
        "{gone}"
    );
}

#[test]
fn position_of_another_column_continues_by_name() {
    let values = position_values(
        SortColumn::Name,
        &Position::of_name(NameKey::fold("Part 10")),
    );
    assert_eq!(values, params!["part 0210", "part 10"].to_vec());
}
