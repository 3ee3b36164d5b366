//! A file under a temporary name, until it is complete.

use std::{
    fmt,
    fs::File,
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;

use crate::{Mode, folder_of, owner, sync_folder};

/// A file under a temporary name. It is removed when dropped.
#[derive(Debug)]
pub struct StagedFile {
    inner: NamedTempFile,
}

/// A staged file that could not be moved to its path. It can be moved again.
#[derive(Debug)]
pub struct NotPlaced {
    pub file: StagedFile,
    pub source: io::Error,
}

impl fmt::Display for NotPlaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl std::error::Error for NotPlaced {}

impl From<NotPlaced> for io::Error {
    fn from(failed: NotPlaced) -> Self {
        failed.source
    }
}

impl StagedFile {
    /// A file in the folder of `path`, which need not exist.
    ///
    /// # Errors
    /// The folder does not accept a file.
    pub fn beside(path: &Path, mode: Mode) -> io::Result<Self> {
        Self::in_folder(folder_of(path), mode)
    }

    /// # Errors
    /// The folder does not accept a file.
    pub fn in_folder(folder: &Path, mode: Mode) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".").suffix(".part");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode.0));
        let inner = builder.tempfile_in(folder)?;
        owner::take_from_folder(folder, inner.as_file())?;
        Ok(Self { inner })
    }

    #[must_use]
    pub fn file(&self) -> &File {
        self.inner.as_file()
    }

    pub fn file_mut(&mut self) -> &mut File {
        self.inner.as_file_mut()
    }

    /// # Errors
    /// The disk failed.
    pub fn sync(&self) -> io::Result<()> {
        self.file().sync_all()
    }

    /// Syncs the file and moves it to `path`. A file there passes its owner and mode on to it.
    ///
    /// # Errors
    /// `PermissionDenied` if this process may not give the file to that owner.
    pub fn replace(self, path: &Path) -> io::Result<()> {
        if path.exists() {
            owner::copy(path, self.file())?;
        }
        self.sync()?;
        self.place(path)?;
        sync_folder(folder_of(path))
    }

    /// Syncs the file and moves it to `path`, which must not exist.
    ///
    /// # Errors
    /// `AlreadyExists`.
    pub fn create(self, path: &Path) -> io::Result<()> {
        self.sync()?;
        self.inner
            .persist_noclobber(path)
            .map_err(|failed| failed.error)?;
        sync_folder(folder_of(path))
    }

    /// Moves the file to `path` and syncs nothing: for content that the caller syncs.
    ///
    /// # Errors
    /// The file is in the error.
    pub fn place(self, path: &Path) -> Result<(), NotPlaced> {
        match self.inner.persist(path) {
            Ok(_) => Ok(()),
            Err(failed) => Err(NotPlaced {
                file: Self { inner: failed.file },
                source: failed.error,
            }),
        }
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.as_file_mut().flush()
    }
}
