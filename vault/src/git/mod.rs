//! Git commits derived from the rows alone: a deleted repository is derived again, byte for byte.
//!
//! Deliberately absent: every other input, such as the clock and the git settings of machine and
//! user.

pub(crate) mod derive;
pub(crate) mod durable;
pub(crate) mod history;
pub(crate) mod objects;
pub(crate) mod repository;

use std::{io, path::PathBuf};

use auth::StoreUnavailable;

#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// An object is missing or cannot be read.
    #[error("the repository is damaged: {0}")]
    Damaged(#[source] gix::Error),
    #[error("an object could not be written: {0}")]
    Unwritten(#[source] gix::Error),
    #[error("{}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}

/// Adds the path to an I/O error.
pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> GitError {
    let path = path.into();
    move |source| GitError::Folder { path, source }
}
