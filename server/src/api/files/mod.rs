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
pub(crate) mod sorting;
pub(crate) mod upload;

use vault::UserText;

use crate::error::Problem;

/// Characters of a comment or description, and of a note or reason.
const MAX_COMMENT_CHARS: usize = 10_000;
const MAX_NOTE_CHARS: usize = 1_000;

fn parse_text(raw: &str, max_chars: usize, pointer: &str) -> Result<UserText, Problem> {
    UserText::parse(raw, max_chars).map_err(|error| Problem::invalid(pointer, error))
}

fn parse_optional_text(
    raw: Option<&str>,
    max_chars: usize,
    pointer: &str,
) -> Result<Option<UserText>, Problem> {
    raw.filter(|raw| !raw.is_empty())
        .map(|raw| parse_text(raw, max_chars, pointer))
        .transpose()
}
