//! Pages of files, always by a key, so that their cost does not depend on the vault's size.

mod folder;
mod search;
mod select;

use vault::{File, VaultId, order::Position, store::FileQuery};

use self::{
    search::Candidates,
    select::{Select, position_values, select_files},
};
use crate::{connection::Connection, error::DbError, files, value::params};

pub(crate) use folder::folder;

/// A `LIKE` pattern that matches `part` anywhere; for `ESCAPE '\'`.
pub(crate) fn like(part: &str) -> String {
    let escaped = part
        .replace('\\', r"\\")
        .replace('%', r"\%")
        .replace('_', r"\_");
    format!("%{escaped}%")
}

/// Rows that a search reads at once after the first page, so that a pattern that few rows match needs
/// few reads.
const SEARCH_ROWS: u32 = 500;

/// Reads on until the page is full: not every file that contains the parts of a search matches it.
pub(crate) async fn files(
    db: &mut Connection,
    (vault, query): &(VaultId, FileQuery),
) -> Result<Vec<File>, DbError> {
    let candidates = Candidates::of(db, query.search.as_ref()).await?;
    let mut query = query.clone();
    let limit = query.limit as usize;
    let mut found = Vec::new();
    loop {
        let select = page(vault, &query, &candidates);
        let rows = db.query(&select.sql, &select.params).await?;
        let is_full = rows.len() == query.limit as usize;
        for mut row in rows {
            let file = files::read(&mut row)?;
            query.after = Some(Position::of(&file, query.sort.column));
            if query
                .search
                .as_ref()
                .is_none_or(|search| search.matches(&file))
            {
                found.push(file);
            }
        }
        if !is_full || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
        query.limit = query.limit.max(SEARCH_ROWS);
    }
}

fn page(vault: &VaultId, query: &FileQuery, candidates: &Candidates) -> Select {
    let mut select = select_files(vault, query, candidates);
    if let Some(after) = &query.after {
        select.after(query.sort, position_values(query.sort.column, after));
    }
    select.ordered(query.sort, query.limit)
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

#[cfg(test)]
mod tests;
