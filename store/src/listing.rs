//! Pages of files, always by key, so that their cost does not depend on the vault's size.

use auth::Username;
use vault::{
    File, Filename, VaultId,
    store::{FileQuery, FolderEntry, LockFilter},
};

use crate::{
    connection::Connection,
    error::DbError,
    files::{self, FOLDER, parent_and_name},
    value::{Value, params},
};

/// A `LIKE` pattern that matches `part` anywhere; for `ESCAPE '\'`.
pub(crate) fn like(part: &str) -> String {
    let escaped = part
        .replace('\\', r"\\")
        .replace('%', r"\%")
        .replace('_', r"\_");
    format!("%{escaped}%")
}

/// The smallest text, by bytes, above all that start with `prefix`; `None` if none exists.
fn after_all_with(prefix: &str) -> Option<String> {
    let mut text: Vec<char> = prefix.chars().collect();
    while let Some(last) = text.pop() {
        // Skips the surrogates, which are not characters.
        let next = if last == '\u{d7ff}' {
            Some('\u{e000}')
        } else {
            char::from_u32(u32::from(last) + 1)
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text.into_iter().collect());
        }
    }
    None
}

/// A statement to which conditions are appended, each with its parameter.
struct Select {
    sql: String,
    params: Vec<Value>,
}

impl Select {
    /// `condition` ends where the parameter goes.
    fn and(&mut self, condition: &str, param: impl Into<Value>) {
        self.params.push(param.into());
        let n = self.params.len();
        self.sql.extend([" AND ", condition, " $", &n.to_string()]);
    }
}

fn select_files(vault: &VaultId, query: &FileQuery) -> Select {
    let sql = format!(
        "SELECT {} FROM files WHERE vault_id = $1 AND deleted = 0 AND kind = 1",
        files::COLUMNS
    );
    let mut select = Select {
        sql,
        params: params![vault.as_str()].to_vec(),
    };
    if let Some(after) = &query.after {
        select.and("path_key >", after.as_str());
    }
    if let Some(prefix) = query
        .prefix
        .as_ref()
        .map(vault::NameKey::as_str)
        .filter(|prefix| !prefix.is_empty())
    {
        select.and("path_key >=", prefix);
        if let Some(end) = after_all_with(prefix) {
            select.and("path_key <", end);
        }
    }
    if let Some(part) = &query.search {
        // Not `LIKE`: it backtracks at each character of each name.
        select.params.push(part.as_str().into());
        select.sql.extend([
            " AND strpos(path_key, $",
            &select.params.len().to_string(),
            ") > 0",
        ]);
    }
    if let Some(holder) = &query.holder {
        filter_by_lock(&mut select, holder);
    }
    if let Some(holder) = &query.locked_by {
        filter_by_lock(&mut select, &LockFilter::LockedBy(holder.clone()));
    }
    select.params.push(query.limit.into());
    select.sql.extend([
        " ORDER BY path_key LIMIT $",
        &select.params.len().to_string(),
    ]);
    select
}

fn filter_by_lock(select: &mut Select, holder: &LockFilter) {
    let name = Username::as_str;
    match holder {
        LockFilter::Unlocked => select.sql.push_str(" AND locked_by IS NULL"),
        LockFilter::Locked => select.sql.push_str(" AND locked_by IS NOT NULL"),
        LockFilter::LockedBy(user) => {
            select.and("locked_by IS NOT NULL AND locked_by =", name(user));
        }
        LockFilter::NotLockedBy(user) => {
            select.and("locked_by IS NOT NULL AND locked_by <>", name(user));
        }
    }
}

pub(crate) async fn files(
    db: &mut Connection,
    (vault, query): &(VaultId, FileQuery),
) -> Result<Vec<File>, DbError> {
    let select = select_files(vault, query);
    let rows = db.query(&select.sql, &select.params).await?;
    rows.into_iter()
        .map(|mut row| files::read(&mut row))
        .collect()
}

/// One page of deleted files.
#[derive(Debug)]
pub(crate) struct Deleted {
    pub(crate) vault: VaultId,
    /// Only changes with a smaller number.
    pub(crate) before: Option<i64>,
    pub(crate) limit: u32,
}

/// The file deleted last under each unused name: the one that a restore by name brings back.
const DELETED_PAGE: &str = "FROM files f WHERE vault_id = $1 AND deleted = 1 AND change < $2 AND kind = 1
    AND NOT EXISTS (SELECT 1 FROM files o WHERE o.vault_id = f.vault_id AND o.path_key = f.path_key AND o.deleted = 0)
    AND NOT EXISTS (SELECT 1 FROM files o WHERE o.vault_id = f.vault_id AND o.path_key = f.path_key AND o.deleted = 1
        AND o.change > f.change)
    ORDER BY change DESC LIMIT $3";

pub(crate) async fn deleted(db: &mut Connection, page: &Deleted) -> Result<Vec<File>, DbError> {
    let select = format!("SELECT {} {DELETED_PAGE}", files::COLUMNS);
    let rows = db
        .query(
            &select,
            params![
                page.vault.as_str(),
                page.before.unwrap_or(i64::MAX),
                page.limit
            ],
        )
        .await?;
    rows.into_iter()
        .map(|mut row| files::read(&mut row))
        .collect()
}

/// One page of a folder.
#[derive(Debug)]
pub(crate) struct FolderPage {
    pub(crate) vault: VaultId,
    /// `None` is the top.
    pub(crate) folder: Option<Filename>,
    pub(crate) after: Option<FolderEntry>,
    pub(crate) limit: u32,
}

const FOLDER_PAGE: &str = "FROM files WHERE vault_id = $1 AND deleted = 0 AND parent_key = $2
    AND (kind, leaf_key) > ($3, $4) ORDER BY kind, leaf_key LIMIT $5";

/// Folders first, each by key.
pub(crate) async fn folder(
    db: &mut Connection,
    page: &FolderPage,
) -> Result<Vec<FolderEntry>, DbError> {
    let select = format!("SELECT kind, path, {} {FOLDER_PAGE}", files::COLUMNS);
    let parent = page
        .folder
        .as_ref()
        .map_or_else(String::new, |folder| folder.key().as_str().to_owned());
    let (kind, leaf) = match &page.after {
        None => (FOLDER, String::new()),
        Some(FolderEntry::Folder(name)) => (FOLDER, file_name(name)),
        Some(FolderEntry::File(file)) => (files::FILE, file_name(&file.name)),
    };
    let rows = db
        .query(
            &select,
            params![page.vault.as_str(), parent, kind, leaf, page.limit],
        )
        .await?;
    let entry = |mut row: crate::value::Row| match (row.int()?, row.text()?) {
        (FOLDER, path) => Ok(FolderEntry::Folder(Filename::from_stored(&path))),
        _ => files::read(&mut row).map(|file| FolderEntry::File(Box::new(file))),
    };
    rows.into_iter().map(entry).collect()
}

fn file_name(name: &Filename) -> String {
    parent_and_name(&name.key()).1.to_owned()
}

#[cfg(test)]
mod tests {
    use vault::NameKey;

    use super::*;

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

    fn plan(sql: &str, params: &[Value]) -> String {
        let sqlite = rusqlite::Connection::open_in_memory().unwrap();
        let schema = include_str!("../migrations/0001_the_first_tables.sql");
        sqlite
            .execute_batch(&crate::connection::for_sqlite(schema))
            .unwrap();
        sqlite
            .execute_batch(include_str!(
                "../migrations/0012_deleted_files_are_listed.sql"
            ))
            .unwrap();
        let mut explain = sqlite
            .prepare(&format!(
                "EXPLAIN QUERY PLAN {}",
                crate::connection::for_sqlite(sql)
            ))
            .unwrap();
        let steps = explain
            .query_map(rusqlite::params_from_iter(params), |row| {
                row.get::<_, String>(3)
            })
            .unwrap();
        steps.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of queries")]
    fn file_list_pages_use_an_index_without_sorting() {
        let vault = VaultId::new("v");
        let key = |raw| Some(NameKey::fold(raw));
        let ada = Username::parse("ada").unwrap();
        let queries = [
            (
                "files_name",
                FileQuery {
                    limit: 100,
                    ..FileQuery::default()
                },
            ),
            (
                "files_name",
                FileQuery {
                    after: key("m"),
                    prefix: key("a"),
                    limit: 100,
                    ..FileQuery::default()
                },
            ),
            (
                "files_name",
                FileQuery {
                    search: key("gear"),
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
                    holder: Some(LockFilter::NotLockedBy(ada.clone())),
                    ..FileQuery::default()
                },
            ),
            (
                "files_held_by",
                FileQuery {
                    holder: Some(LockFilter::LockedBy(ada)),
                    after: key("m"),
                    ..FileQuery::default()
                },
            ),
        ];
        for (index, query) in queries {
            let select = select_files(&vault, &query);
            let plan = plan(&select.sql, &select.params);
            assert!(
                plan.starts_with(&format!("SEARCH files USING INDEX {index} (")),
                "{query:?}: {plan}"
            );
            assert!(!plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
        }
        let folder = plan(
            &format!("SELECT path {FOLDER_PAGE}"),
            params!["v", "a/b", 0_i64, "x", 100_u32],
        );
        assert!(
            folder.starts_with("SEARCH files USING INDEX files_in_folder ("),
            "{folder}"
        );
        let gone = plan(
            &format!("SELECT path {DELETED_PAGE}"),
            params!["v", 9_i64, 100_u32],
        );
        assert!(
            gone.starts_with("SEARCH f USING INDEX files_deleted_last ("),
            "{gone}"
        );
        assert!(
            !gone.contains("TEMP B-TREE") && !gone.contains("SCAN"),
            "{gone}"
        );
        assert!(
            folder.contains("(kind,leaf_key)>(?,?)") && !folder.contains("TEMP B-TREE"),
            "{folder}"
        );
    }
}
