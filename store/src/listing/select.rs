//! The statement of a page of files: conditions, order, and the position after which it continues.

use auth::Username;
use vault::{
    VaultId,
    order::{Direction, Position, Sort, SortColumn, SortValue},
    search::natural_key,
    store::{FileQuery, LockFilter},
};

use super::search::Candidates;
use crate::{
    files,
    value::{Value, params},
};

/// A statement to which conditions are appended, each with its parameter.
#[derive(Clone)]
pub(super) struct Select {
    pub(super) sql: String,
    pub(super) params: Vec<Value>,
}

impl Select {
    /// `condition` ends where the parameter goes.
    pub(super) fn and(&mut self, condition: &str, param: impl Into<Value>) {
        let n = self.param(param.into());
        self.sql.extend([" AND ", condition, " ", &n]);
    }

    /// Adds a parameter. Returns its placeholder.
    fn param(&mut self, value: Value) -> String {
        self.params.push(value);
        format!("${}", self.params.len())
    }

    /// Continues after a position in the order.
    pub(super) fn after(&mut self, sort: Sort, values: Vec<Value>) {
        let placeholders: Vec<String> = values.into_iter().map(|value| self.param(value)).collect();
        let operator = match sort.direction {
            Direction::Ascending => ") > (",
            Direction::Descending => ") < (",
        };
        self.sql.extend([
            " AND (",
            &columns(sort.column).join(", "),
            operator,
            &placeholders.join(", "),
            ")",
        ]);
    }

    pub(super) fn ordered(mut self, sort: Sort, limit: u32) -> Self {
        let direction = match sort.direction {
            Direction::Ascending => "",
            Direction::Descending => " DESC",
        };
        let columns: Vec<String> = columns(sort.column)
            .iter()
            .map(|column| format!("{column}{direction}"))
            .collect();
        let limit = self.param(limit.into());
        self.sql
            .extend([" ORDER BY ", &columns.join(", "), " LIMIT ", &limit]);
        self
    }
}

/// Files without a holder sort as if held by `~`, which follows every username.
const HOLDER: &str = "COALESCE(locked_by, '~')";
const NO_HOLDER: &str = "~";

fn columns(column: SortColumn) -> &'static [&'static str] {
    match column {
        SortColumn::Key => &["path_key"],
        SortColumn::Name => &["natural_key", "path_key"],
        SortColumn::Size => &["size", "natural_key", "path_key"],
        SortColumn::Changed => &["modified_at", "natural_key", "path_key"],
        SortColumn::Holder => &[HOLDER, "natural_key", "path_key"],
    }
}

/// The values of [`columns`] at a position. A position of another column continues by name.
pub(super) fn position_values(column: SortColumn, position: &Position) -> Vec<Value> {
    let name = Value::from(position.name.as_str());
    if column == SortColumn::Key {
        return vec![name];
    }
    let first = match &position.value {
        SortValue::Name => None,
        SortValue::Size(size) => Some(Value::from(i64::try_from(*size).unwrap_or(i64::MAX))),
        SortValue::Changed(at) => Some(Value::from(*at)),
        SortValue::Holder(holder) => Some(Value::from(
            holder.as_ref().map_or(NO_HOLDER, Username::as_str),
        )),
    };
    first
        .into_iter()
        .chain([Value::from(natural_key(&position.name)), name])
        .collect()
}

/// The smallest text, by bytes, above all that start with `prefix`; `None` if none exists.
pub(super) fn after_all_with(prefix: &str) -> Option<String> {
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

/// Without order and limit.
pub(super) fn select_files(vault: &VaultId, query: &FileQuery, candidates: &Candidates) -> Select {
    let mut select = candidates.select(files::COLUMNS, params![vault.as_str()].to_vec());
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
    for part in query.search.iter().flat_map(vault::search::Search::parts) {
        // Not `LIKE`: it backtracks at each character of each name.
        let n = select.param(part.into());
        select
            .sql
            .extend([" AND strpos(search_text, ", &n, ") > 0"]);
    }
    if let Some(holder) = &query.holder {
        filter_by_lock(&mut select, holder);
    }
    if let Some(holder) = &query.locked_by {
        filter_by_lock(&mut select, &LockFilter::LockedBy(holder.clone()));
    }
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
