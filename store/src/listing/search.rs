//! The index of the search: runs of three characters of each file's search text (ADR 0066). SQLite
//! has it as an FTS5 table, PostgreSQL as a GIN index over an array.

use vault::search::Search;

use super::select::Select;
use crate::{
    connection::Connection,
    error::DbError,
    value::{Value, params},
};

/// More candidates than these are not worth the index: the list in its order contains a page of
/// them early.
const MAX_CANDIDATES: i64 = 20_000;

/// Of a long search, these narrow enough. SQLite bounds the size of an expression.
const MAX_RUNS: usize = 32;

/// Separates the runs in a parameter. No name or description contains it.
const SEPARATOR: &str = "\u{1f}";

/// Where a search looks.
pub(super) enum Candidates {
    /// All files, in order.
    All,
    /// An expression of FTS5.
    Sqlite(String),
    /// Runs, joined by [`SEPARATOR`].
    Postgres(String),
}

const LIVE: &str = "vault_id = $1 AND deleted = 0 AND kind = 1";

impl Candidates {
    /// Chooses the index if it narrows the search. A search for one or two characters has no run of
    /// three.
    pub(super) async fn of(db: &mut Connection, search: Option<&Search>) -> Result<Self, DbError> {
        const SQLITE: &str = "SELECT COUNT(*) FROM (SELECT rowid FROM file_grams WHERE file_grams MATCH $1 LIMIT $2)";
        const POSTGRES: &str =
            "SELECT COUNT(*) FROM (SELECT 1 FROM files WHERE deleted = 0 AND kind = 1
            AND file_grams(search_text) @> string_to_array($1, chr(31)) LIMIT $2) found";
        let mut grams = search.map(Search::trigrams).unwrap_or_default();
        grams.truncate(MAX_RUNS);
        if grams.is_empty() {
            return Ok(Self::All);
        }
        let (count, candidates) = match db {
            Connection::Sqlite(_) => (SQLITE, Self::Sqlite(fts_expression(&grams))),
            _ => (POSTGRES, Self::Postgres(grams.join(SEPARATOR))),
        };
        let (Self::Sqlite(text) | Self::Postgres(text)) = &candidates else {
            return Ok(Self::All);
        };
        let found = db
            .find(count, params![text.as_str(), MAX_CANDIDATES + 1])
            .await?;
        let found = found.map_or(Ok(0), |mut row| row.int())?;
        Ok(if found > MAX_CANDIDATES {
            Self::All
        } else {
            candidates
        })
    }

    /// Selects the live files of a vault, the first of `params`.
    pub(super) fn select(&self, columns: &str, mut params: Vec<Value>) -> Select {
        let sql = match self {
            Self::All => format!("SELECT {columns} FROM files WHERE {LIVE}"),
            Self::Sqlite(grams) => {
                params.push(grams.as_str().into());
                // The name of the index, because the planner prefers the order over the condition.
                format!(
                    "SELECT {columns} FROM files INDEXED BY files_search_id
                    WHERE search_id IN (SELECT rowid FROM file_grams WHERE file_grams MATCH $2) AND {LIVE}"
                )
            }
            Self::Postgres(grams) => {
                params.push(grams.as_str().into());
                // `OFFSET 0` for the same reason.
                format!(
                    "SELECT {columns} FROM (SELECT * FROM files WHERE {LIVE}
                    AND file_grams(search_text) @> string_to_array($2, chr(31)) OFFSET 0) files WHERE deleted = 0"
                )
            }
        };
        Select { sql, params }
    }
}

/// `"abc" AND "bcd"`, with quotes doubled.
fn fts_expression(grams: &[String]) -> String {
    let quoted: Vec<String> = grams
        .iter()
        .map(|gram| format!("\"{}\"", gram.replace('"', "\"\"")))
        .collect();
    quoted.join(" AND ")
}
