//! The files of a vault: content, locks, history.

pub mod add;
pub mod cancel;
pub mod changes;
pub mod check_in;
pub mod check_out;
pub mod content;
pub mod delete;
pub mod describe;
pub mod history;
pub mod list;
pub mod move_to;
pub mod override_lock;
pub mod restore;
pub mod show;
pub(crate) mod upload;

use vault::UserText;

use crate::error::Problem;

/// Characters of a comment or description, and of a note or reason.
const COMMENT: usize = 10_000;
const NOTE: usize = 1_000;

fn prose(raw: &str, most: usize, pointer: &str) -> Result<UserText, Problem> {
    UserText::parse(raw, most).map_err(|error| Problem::invalid(pointer, error))
}

fn optional_prose(
    raw: Option<&str>,
    most: usize,
    pointer: &str,
) -> Result<Option<UserText>, Problem> {
    raw.filter(|raw| !raw.is_empty())
        .map(|raw| prose(raw, most, pointer))
        .transpose()
}
