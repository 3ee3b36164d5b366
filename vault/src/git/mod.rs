//! The commits that changes become, derived from the rows alone: delete a repository, and the same one comes back.
//!
//! Deliberately absent: anything that a row does not say. No clock, no settings of the machine or of its user.

pub(crate) mod derive;
pub(crate) mod durable;
pub(crate) mod history;
pub(crate) mod objects;
pub(crate) mod repository;

use std::{io, path::PathBuf};

use auth::StoreUnavailable;

#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// An object that should be there cannot be read.
    #[error("the repository is damaged: {0}")]
    Damaged(#[source] gix::Error),
    #[error("an object could not be written: {0}")]
    Unwritten(#[source] gix::Error),
    #[error("{}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}

/// Says where it went wrong.
pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> GitError {
    let path = path.into();
    move |source| GitError::Folder { path, source }
}
