//! Folders whose entries survive a power failure.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::BlobId;

/// Caches which folders are durable in their parents, so that each is synced once.
///
/// An entry that a parallel upload created may not be durable yet, so a folder counts only after
/// this cache has synced its parent. At most 65,792 folders a vault.
#[derive(Clone, Debug)]
pub(super) struct DurableDirs {
    /// Durability starts here; the operator owns the folders above.
    root: Arc<Path>,
    known: Arc<Mutex<HashSet<PathBuf>>>,
}

impl DurableDirs {
    pub(super) fn under(root: Arc<Path>) -> Self {
        Self {
            root,
            known: Arc::default(),
        }
    }

    /// Creates `folder` and its missing parents, and returns when all of them are durable.
    pub(super) fn make(&self, folder: &Path) -> io::Result<()> {
        let missing: Vec<_> = {
            let known = self.known();
            folder
                .ancestors()
                .take_while(|above| **above != *self.root && !known.contains(*above))
                .collect()
        };
        for folder in missing.into_iter().rev() {
            match fs::create_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            durable_fs::sync_folder(folder.parent().unwrap_or(&self.root))?;
            self.known().insert(folder.to_owned());
        }
        Ok(())
    }

    /// Drops `folder` and its parents from the cache: one of them was deleted externally.
    pub(super) fn invalidate(&self, folder: &Path) {
        self.known().retain(|known| !folder.starts_with(known));
    }

    fn known(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The objects below `objects` after `after`, in order, at most about `limit`.
pub(super) fn list(objects: &Path, after: Option<&BlobId>, limit: u32) -> io::Result<Vec<BlobId>> {
    let after = after.map_or("", BlobId::as_str);
    let mut found = Vec::new();
    for first in names(objects, after.get(..2))? {
        let start = after.get(2..4).filter(|_| after.starts_with(&first));
        for second in names(&objects.join(&first), start)? {
            let ids = names(&objects.join(&first).join(&second), None)?;
            found.extend(
                ids.iter()
                    .filter(|id| id.as_str() > after)
                    .filter_map(|id| BlobId::parse(id)),
            );
            if found.len() >= limit as usize {
                found.truncate(limit as usize);
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// The names in a folder from `start` on, in order; empty if the folder does not exist.
pub(super) fn names(folder: &Path, start: Option<&str>) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(
            entry?
                .file_name()
                .into_string()
                .ok()
                .filter(|name| Some(name.as_str()) >= start),
        );
    }
    names.sort_unstable();
    Ok(names)
}

/// Empties the upload folders below `root`.
pub(super) fn clear_leftovers(root: &Path) -> io::Result<()> {
    for vault in names(root, None)? {
        match fs::remove_dir_all(root.join(vault).join("lfs/tmp")) {
            Err(error)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(())
}
