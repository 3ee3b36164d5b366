//! The rules, pure. TO BE WRITTEN; the signature is fixed.

use crate::{Command, Effect, File, VaultError};

/// What `command` does to `file`, the row of that name (or the deleted one a restoration names); `None` if there is none.
pub fn decide(file: Option<&File>, command: &Command) -> Result<Effect, VaultError> {
    todo!()
}
