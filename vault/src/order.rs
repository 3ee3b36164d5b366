//! The order of lists, and positions in them.

use auth::Username;
use jiff::Timestamp;

use crate::{File, Filename, NameKey};

/// Files that compare equal follow in natural order, and at last by key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortColumn {
    /// By bytes of the key.
    #[default]
    Key,
    /// In natural order ([`natural_key`](crate::search::natural_key)).
    Name,
    Size,
    Changed,
    /// Files without a holder last.
    Holder,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    Ascending,
    Descending,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    pub column: SortColumn,
    pub direction: Direction,
}

/// The last file of a page. It holds the value that was sorted by, so that a change of that file
/// moves nothing on later pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub value: SortValue,
    pub name: NameKey,
}

/// The value of a file in its [`SortColumn`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortValue {
    /// The name itself.
    Name,
    Size(u64),
    Changed(Timestamp),
    Holder(Option<Username>),
}

impl Position {
    #[must_use]
    pub fn of(file: &File, column: SortColumn) -> Self {
        let value = match column {
            SortColumn::Key | SortColumn::Name => SortValue::Name,
            SortColumn::Size => SortValue::Size(file.blob.size),
            SortColumn::Changed => SortValue::Changed(file.modified_at),
            SortColumn::Holder => {
                SortValue::Holder(file.lock.as_ref().map(|lock| lock.holder.clone()))
            }
        };
        Self {
            value,
            name: file.name.key(),
        }
    }

    /// For lists by name.
    #[must_use]
    pub fn of_name(name: NameKey) -> Self {
        Self {
            value: SortValue::Name,
            name,
        }
    }
}

/// The last entry of a page of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderPosition {
    Folder(Filename),
    File(Position),
}
