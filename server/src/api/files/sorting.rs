//! `?sort=` and `?order=` of lists of files, and the cursor of their pages.

use auth::Username;
use serde::Deserialize;
use vault::{
    NameKey,
    order::{Direction, Position, Sort, SortColumn, SortValue},
};

use crate::{api::paging::invalid_cursor, error::Problem};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SortBy {
    Name,
    Size,
    Changed,
    Holder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SortOrder {
    Asc,
    Desc,
}

impl SortBy {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Size => "size",
            Self::Changed => "changed",
            Self::Holder => "holder",
        }
    }

    fn column(self) -> SortColumn {
        match self {
            Self::Name => SortColumn::Name,
            Self::Size => SortColumn::Size,
            Self::Changed => SortColumn::Changed,
            Self::Holder => SortColumn::Holder,
        }
    }
}

/// Without `by`, by the bytes of the filename, as before there was a choice.
pub(crate) fn sort(by: Option<SortBy>, order: Option<SortOrder>) -> Sort {
    Sort {
        column: by.map_or(SortColumn::Key, SortBy::column),
        direction: match order {
            Some(SortOrder::Desc) => Direction::Descending,
            Some(SortOrder::Asc) | None => Direction::Ascending,
        },
    }
}

/// The filename, and before it the value and `|`, unless the list is by name. No value contains `|`.
pub(crate) fn encode(position: &Position) -> String {
    let name = position.name.as_str();
    match &position.value {
        SortValue::Name => name.to_owned(),
        SortValue::Size(size) => format!("{size}|{name}"),
        SortValue::Changed(at) => format!("{}|{name}", at.as_microsecond()),
        SortValue::Holder(holder) => {
            format!("{}|{name}", holder.as_ref().map_or("", Username::as_str))
        }
    }
}

/// # Errors
/// 422 for a cursor of another order.
pub(crate) fn decode(column: SortColumn, cursor: &str) -> Result<Position, Problem> {
    if cursor.contains('\0') {
        return Err(invalid_cursor());
    }
    let by_name = |name: &str| Position::of_name(NameKey::fold(name));
    if matches!(column, SortColumn::Key | SortColumn::Name) {
        return Ok(by_name(cursor));
    }
    let (value, name) = cursor.split_once('|').ok_or_else(invalid_cursor)?;
    let value = match column {
        SortColumn::Size => value.parse().ok().map(SortValue::Size),
        SortColumn::Changed => value
            .parse()
            .ok()
            .and_then(|at| jiff::Timestamp::from_microsecond(at).ok())
            .map(SortValue::Changed),
        _ if value.is_empty() => Some(SortValue::Holder(None)),
        _ => Username::parse(value)
            .ok()
            .map(|holder| SortValue::Holder(Some(holder))),
    };
    Ok(Position {
        value: value.ok_or_else(invalid_cursor)?,
        ..by_name(name)
    })
}
