//! Folders that outlive a power cut, and what is in them.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::BlobId;

/// Remembers which folders are known to be durable in their parents, so that each is synced once.
///
/// An entry that another upload has just made may not be durable yet, so a folder counts only once somebody here has
/// synced its parent. At most 65,792 folders a vault.
#[derive(Clone, Debug)]
pub(super) struct DurableDirs {
    /// Where durability begins: what is above is the operator's.
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

    /// Makes `folder` and what is missing above it, and returns when all of it is durable.
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
            sync(folder.parent().unwrap_or(&self.root))?;
            self.known().insert(folder.to_owned());
        }
        Ok(())
    }

    /// Forgets `folder` and those above it: somebody took one of them away.
    pub(super) fn invalidate(&self, folder: &Path) {
        self.known().retain(|known| !folder.starts_with(known));
    }

    fn known(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the entries of a folder durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    // Windows cannot open a folder as a file, and has no need to: NTFS logs its entries.
    if cfg!(unix) {
        fs::File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

/// The objects below `objects` that come after `after`, in order, at most about `limit`.
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

/// The names in a folder from `start` on, in order; none where there is no such folder.
fn names(folder: &Path, start: Option<&str>) -> io::Result<Vec<String>> {
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

/// Empties the folders of uploads below `root`.
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
