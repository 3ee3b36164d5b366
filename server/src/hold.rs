//! One server on a data folder: two would clear away each other's uploads and both move git's branch.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use anyhow::{Context as _, bail};

/// Held while the server runs. The system lets go of it however the program ends, so nothing is left to clean up.
#[derive(Debug)]
pub(crate) struct Hold {
    _file: File,
}

impl Hold {
    /// # Errors
    /// Somebody else holds the folder.
    pub(crate) fn of(data: &Path) -> anyhow::Result<Self> {
        let path = data.join("serving");
        let mut options = OpenOptions::new();
        // Whoever can open it could hold it, and no server would start.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.create(true).append(true).open(&path);
        let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "Another Strongroom is serving from {} already",
                data.display()
            ),
            // Some network file systems know of no locks: nothing to be told there.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "the data folder cannot be held")
            }
        }
        Ok(Self { _file: file })
    }
}
