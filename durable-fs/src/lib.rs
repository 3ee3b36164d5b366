//! Files that are complete after a crash. A new content is written beside its path, synced and
//! renamed to it, and then the folder is synced. A replaced file keeps its owner and its mode, so a
//! command of root does not take a file from the server's account.
//!
//! Deliberately absent: what the files contain, and async.

mod owner;
mod staged;

use std::{
    io::{self, Write as _},
    path::Path,
};

pub use staged::{NotPlaced, StagedFile};

/// Permission bits of a new file (POSIX `mode_t`); the umask removes bits from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(pub u32);

impl Mode {
    /// The owner alone reads and writes.
    pub const PRIVATE: Self = Self(0o600);
    /// As any program creates files: the umask decides.
    pub const DEFAULT: Self = Self(0o666);
}

/// Writes `bytes` to `path`. A replaced file keeps its owner and mode. A new file has `mode` and,
/// if root creates it, the owner of its folder.
///
/// # Errors
/// The file then holds its old content.
pub fn replace(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let mut staged = StagedFile::beside(path, mode)?;
    staged.write_all(bytes)?;
    staged.replace(path)
}

/// Writes `bytes` to `path`, which must not exist.
///
/// # Errors
/// `AlreadyExists`, also when a parallel call has created the file.
pub fn create(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let mut staged = StagedFile::beside(path, mode)?;
    staged.write_all(bytes)?;
    staged.create(path)
}

/// As [`create`], with the owner and mode of the file `model`.
///
/// # Errors
/// As [`create`]. `PermissionDenied` if this process may not give the file to that owner.
pub fn create_like(path: &Path, bytes: &[u8], model: &Path) -> io::Result<()> {
    let mut staged = StagedFile::beside(path, Mode::PRIVATE)?;
    owner::copy(model, staged.file())?;
    staged.write_all(bytes)?;
    staged.create(path)
}

/// Renames a synced file. A file that it replaces passes its owner and mode on to it.
///
/// # Errors
/// `to` then is unchanged, unless only the sync of the folder failed.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        owner::copy(to, &std::fs::File::open(from)?)?;
    }
    std::fs::rename(from, to)?;
    sync_folder(folder_of(to))
}

/// Creates a folder that its owner alone can use, unless it exists. If root creates it, it gets the
/// owner of the folder around it.
///
/// # Errors
/// A missing folder around it cannot be created, or it is no folder.
pub fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    #[cfg(unix)]
    owner::take_from_folder(folder_of(path), &std::fs::File::open(path)?)?;
    Ok(())
}

/// Makes the entries of a folder durable.
///
/// # Errors
/// The folder cannot be opened, or the disk failed.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows cannot open a folder as a file and needs no sync: NTFS journals its entries.
    if cfg!(unix) {
        std::fs::File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
