//! One page of a folder: its folders by name, then its files in the requested order.

use vault::{
    Filename, VaultId,
    order::{FolderPosition, Position, Sort, SortColumn},
    store::{FolderEntry, FolderQuery},
};

use super::select::{Select, position_values};
use crate::{
    connection::Connection,
    error::DbError,
    files::{self, FILE, FOLDER},
    value::params,
};

/// Folders first.
pub(crate) async fn folder(
    db: &mut Connection,
    (vault, query): &(VaultId, FolderQuery),
) -> Result<Vec<FolderEntry>, DbError> {
    let by_name = Sort {
        column: SortColumn::Name,
        ..query.sort
    };
    let mut entries = Vec::new();
    let last = match &query.after {
        None => Some(None),
        Some(FolderPosition::Folder(name)) => Some(Some(Position::of_name(name.key()))),
        Some(FolderPosition::File(_)) => None,
    };
    if let Some(after) = last {
        let select = entries_of(vault, query, FOLDER);
        let select = page(select, by_name, after.as_ref(), query.limit);
        for mut row in db.query(&select.sql, &select.params).await? {
            entries.push(FolderEntry::Folder(Filename::from_stored(&row.text()?)));
        }
    }
    let found = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let left = query.limit.saturating_sub(found);
    if left == 0 {
        return Ok(entries);
    }
    let after = match &query.after {
        Some(FolderPosition::File(position)) => Some(position),
        _ => None,
    };
    let select = page(entries_of(vault, query, FILE), query.sort, after, left);
    for mut row in db.query(&select.sql, &select.params).await? {
        entries.push(FolderEntry::File(Box::new(files::read(&mut row)?)));
    }
    Ok(entries)
}

fn entries_of(vault: &VaultId, query: &FolderQuery, kind: i64) -> Select {
    let columns = if kind == FOLDER {
        "path"
    } else {
        files::COLUMNS
    };
    let parent = query
        .folder
        .as_ref()
        .map_or_else(String::new, |folder| folder.key().as_str().to_owned());
    Select {
        sql: format!(
            "SELECT {columns} FROM files WHERE vault_id = $1 AND deleted = 0 AND parent_key = $2 AND kind = $3"
        ),
        params: params![vault.as_str(), parent, kind].to_vec(),
    }
}

fn page(mut select: Select, sort: Sort, after: Option<&Position>, limit: u32) -> Select {
    if let Some(after) = after {
        select.after(sort, position_values(sort.column, after));
    }
    select.ordered(sort, limit)
}

#[cfg(test)]
pub(super) fn statement(vault: &VaultId, query: &FolderQuery) -> Select {
    page(
        entries_of(vault, query, FILE),
        query.sort,
        None,
        query.limit,
    )
}
