//! Allows one server per data folder. Two would delete each other's uploads and both update the git
//! branch.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::ErrorKind,
    path::Path,
};

use anyhow::{Context as _, bail};
use durable_fs::Mode;

/// A file lock, held while the server runs. The system releases it however the process ends.
#[derive(Debug)]
pub(crate) struct InstanceLock {
    _file: File,
}

impl InstanceLock {
    /// # Errors
    /// Another process holds the lock.
    pub(crate) fn acquire(data: &Path) -> anyhow::Result<Self> {
        let path = data.join("serving");
        // Owner only: any process that can open the file can lock it and prevent the start. A command
        // of root leaves it to the owner of the folder.
        if !path.exists() {
            match durable_fs::create(&path, b"", Mode::PRIVATE) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    return Err(error)
                        .with_context(|| format!("{} cannot be written", path.display()));
                }
                _ => {}
            }
        }
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("Another Strongroom server already uses {}", data.display())
            }
            // Some network file systems do not support locks. The server starts anyway.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "the data folder cannot be locked");
            }
        }
        Ok(Self { _file: file })
    }
}
