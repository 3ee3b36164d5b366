//! The current state of a file.

use std::{fmt, sync::Arc};

use auth::{DisplayName, SecureRandom, Username};
use jiff::Timestamp;

use crate::{Blob, Filename, UserText};

/// 32 lowercase hex digits; stays with a file through moves, deletion and restoration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileId(Arc<str>);

impl FileId {
    #[must_use]
    pub fn random(rng: &SecureRandom) -> Self {
        Self(hex::encode(rng.bytes::<16>()).into())
    }

    /// Converts a stored id.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub id: FileId,
    pub name: Filename,
    pub description: Option<UserText>,
    /// Counts this file's revisions from 1, without gaps.
    pub revision: i64,
    /// The vault-wide number of the change that made this revision.
    pub change: i64,
    pub blob: Blob,
    pub modified_at: Timestamp,
    pub modified_by: Username,
    pub lock: Option<Lock>,
    /// The number of locks granted so far. The next [`Lock::id`] is one more, so a late request
    /// under an old lock is recognized.
    pub lock_seq: i64,
    pub deleted: bool,
}

/// An exclusive check-out. It never expires by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    pub id: i64,
    pub holder: Username,
    /// The holder's display name, if there is one.
    pub holder_name: Option<DisplayName>,
    pub at: Timestamp,
    pub note: Option<UserText>,
}

impl File {
    #[must_use]
    pub fn holder(&self) -> Option<&Username> {
        self.lock.as_ref().map(|lock| &lock.holder)
    }
}
