//! A SQLite file that this process may not write: a copy on a read-only mount, or of another account.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::{
    OpenError,
    error::{DbError, TxError},
    migrate::VersionMismatch,
};

/// Why a read-only database did not open.
#[derive(Debug)]
pub(crate) enum ReadOnlyError {
    Journal(PathBuf),
    Failed(TxError<VersionMismatch>),
}

impl<E: Into<TxError<VersionMismatch>>> From<E> for ReadOnlyError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

pub(crate) fn open_error(database: String, error: ReadOnlyError) -> OpenError {
    match error {
        ReadOnlyError::Journal(path) => OpenError::Journal {
            journal: path.display().to_string(),
        },
        ReadOnlyError::Failed(TxError::Rejected(mismatch)) => match mismatch.into() {
            OpenError::Older { found, known } => OpenError::OlderCopy { found, known },
            other => other,
        },
        ReadOnlyError::Failed(TxError::Db(error)) => OpenError::Failed {
            database,
            source: error.into(),
        },
    }
}

/// Whether the file or its folder cannot be written. One without any write bit stays as it is, even
/// for root, who could.
pub(crate) fn is_read_only(path: &Path) -> bool {
    path.is_file() && (!is_writable(path) || !is_writable(folder_of(path)))
}

#[cfg(unix)]
fn is_writable(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    use std::os::unix::fs::PermissionsExt as _;
    const ANY_WRITE: u32 = 0o222;
    let has_bit =
        std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & ANY_WRITE != 0);
    has_bit && access(path, Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.permissions().readonly())
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// How the connections of a read-only store open the file.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The file and its journal, with the locks of SQLite.
    Shared(PathBuf),
    /// The file alone, which does not change: SQLite writes and locks nothing.
    Immutable(PathBuf),
}

impl Source {
    /// The journal is read where that is possible. An empty one adds nothing.
    pub(crate) fn find(path: &Path) -> Result<Self, ReadOnlyError> {
        let beside = |suffix: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        let (journal, index) = (beside("-wal"), beside("-shm"));
        let pending = std::fs::metadata(&journal).is_ok_and(|journal| journal.len() > 0);
        let shared = Self::Shared(path.to_owned());
        // Without the index, SQLite would create one.
        if pending && index.exists() && shared.probe().is_ok() {
            return Ok(shared);
        }
        if pending {
            return Err(ReadOnlyError::Journal(journal));
        }
        Ok(Self::Immutable(path.to_owned()))
    }

    pub(crate) fn connect(&self) -> Result<Connection, DbError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(match self {
            Self::Shared(path) => Connection::open_with_flags(path, flags)?,
            Self::Immutable(path) => {
                let flags = flags | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(immutable_uri(path), flags)?
            }
        })
    }

    /// Reads from the file, which the first statement opens.
    pub(crate) fn probe(&self) -> Result<(), DbError> {
        let read = "SELECT COUNT(*) FROM sqlite_schema";
        Ok(self.connect()?.query_row(read, [], |_| Ok(()))?)
    }
}

/// <https://sqlite.org/uri.html>, §3.1: `?`, `#` and `%` of the path are escaped.
fn immutable_uri(path: &Path) -> String {
    let escaped = path
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    format!("file:{escaped}?immutable=1")
}
