//! The master key file: mode 0600, and synced before anything is sealed under the key. During a
//! rotation the pending key is in a second file. The database states which one is active.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use durable_fs::Mode;

use crate::{
    SecureRandom,
    keys::master::{BadKey, MasterKey},
};

impl MasterKey {
    /// As [`KeyFile::load_or_create`], for the file at `path`.
    ///
    /// # Errors
    /// [`BadKey::File`].
    pub fn load_or_create(path: &Path, rng: &SecureRandom) -> Result<Self, BadKey> {
        KeyFile::at(path).load_or_create(rng)
    }
}

/// The path of a master key file; see the module documentation.
#[derive(Clone, Debug)]
pub struct KeyFile(PathBuf);

impl KeyFile {
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Loads the key, or creates the file (mode 0600, synced) with 32 random bytes. Two concurrent
    /// starts agree on one key.
    ///
    /// # Errors
    /// [`BadKey::File`], also for a file that other users can read, or an empty one from an
    /// interrupted start.
    pub fn load_or_create(&self, rng: &SecureRandom) -> Result<MasterKey, BadKey> {
        match durable_fs::create(&self.0, random_key(rng).as_bytes(), Mode::PRIVATE) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(file_error(&self.0, error)),
        }
        load(&self.0)
    }

    /// Loads the key; `None` without a file.
    ///
    /// # Errors
    /// As [`load_or_create`](Self::load_or_create).
    pub fn load(&self) -> Result<Option<MasterKey>, BadKey> {
        match load(&self.0) {
            Err(BadKey::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            found => found.map(Some),
        }
    }

    /// The pending key, if there is one. A truncated file counts as none: its write was
    /// interrupted, so nothing is sealed under it. An unreadable file is an error, because it may
    /// hold the active key.
    ///
    /// # Errors
    /// [`BadKey::File`].
    pub fn pending(&self) -> Result<Option<MasterKey>, BadKey> {
        match load(&self.pending_path()) {
            Ok(key) => Ok(Some(key)),
            Err(BadKey::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            // An empty file.
            Err(BadKey::File { source, .. }) if source.kind() == io::ErrorKind::InvalidData => {
                Ok(None)
            }
            Err(error @ BadKey::File { .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Creates a pending key, replacing an unused one. It has the owner and mode of this file: the
    /// server reads it after an interruption.
    ///
    /// # Errors
    /// [`BadKey::File`].
    pub fn create_pending(&self, rng: &SecureRandom) -> Result<MasterKey, BadKey> {
        self.discard_pending()?;
        let path = self.pending_path();
        durable_fs::create_like(&path, random_key(rng).as_bytes(), &self.0)
            .map_err(|error| file_error(&path, error))?;
        load(&path)
    }

    /// Renames the pending key to this file. The old key is kept as `replaced-{name}.key` for old
    /// backups; returns that path.
    ///
    /// # Errors
    /// [`BadKey::File`]. The file then holds the complete old or new key.
    pub fn commit_pending(&self, name: &str) -> Result<PathBuf, BadKey> {
        let backup = self.0.with_file_name(format!("replaced-{name}.key"));
        let old = read_private(&self.0).map_err(|error| file_error(&self.0, error))?;
        // A differing backup is truncated: its write was interrupted.
        if !read_private(&backup).is_ok_and(|text| text == old) {
            remove(&backup)
                .and_then(|()| durable_fs::create_like(&backup, old.as_bytes(), &self.0))
                .map_err(|error| file_error(&backup, error))?;
        }
        durable_fs::rename(&self.pending_path(), &self.0)
            .map_err(|error| file_error(&self.0, error))?;
        Ok(backup)
    }

    /// # Errors
    /// [`BadKey::File`].
    pub fn discard_pending(&self) -> Result<(), BadKey> {
        let path = self.pending_path();
        remove(&path).map_err(|error| file_error(&path, error))
    }

    fn pending_path(&self) -> PathBuf {
        self.0.with_extension("key.new")
    }
}

fn file_error(path: &Path, source: io::Error) -> BadKey {
    BadKey::File {
        path: path.display().to_string(),
        source,
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn load(path: &Path) -> Result<MasterKey, BadKey> {
    MasterKey::parse(&read_private(path).map_err(|error| file_error(path, error))?)
}

/// 256 bits in base64url, with a newline.
fn random_key(rng: &SecureRandom) -> String {
    BASE64URL.encode(rng.bytes::<32>()) + "\n"
}

fn read_private(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    refuse_readable_by_others(&file)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    if text.trim().is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is empty; delete it, and the next start creates a new key",
        ));
    }
    Ok(text)
}

#[cfg(unix)]
fn refuse_readable_by_others(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let others = file.metadata()?.permissions().mode() & 0o077;
    if others == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "other users can read it; restrict it with `chmod 600`",
    ))
}

#[cfg(not(unix))]
fn refuse_readable_by_others(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(hex::encode(SecureRandom::system().bytes::<8>()));
        std::fs::create_dir(&folder).unwrap();
        folder
    }

    fn load_or_create(path: &Path) -> Result<MasterKey, BadKey> {
        KeyFile::at(path).load_or_create(&SecureRandom::system())
    }

    #[test]
    fn key_file_is_created_once_then_loaded() {
        let path = folder().join("key");
        let first = load_or_create(&path).unwrap();
        let second = load_or_create(&path).unwrap();
        assert_eq!(first.id().unwrap(), second.id().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn key_file_readable_by_group_is_rejected() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder().join("key");
        load_or_create(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = load_or_create(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn empty_key_file_is_rejected() {
        let path = folder().join("key");
        load_or_create(&path).unwrap();
        std::fs::write(&path, "").unwrap();
        let error = load_or_create(&path).unwrap_err();
        assert!(error.to_string().contains("empty"), "{error}");
    }

    #[test]
    fn committed_pending_key_replaces_and_retains_old_key() {
        let path = folder().join("master.key");
        let (file, old) = (KeyFile::at(&path), load_or_create(&path).unwrap());
        assert!(file.pending().unwrap().is_none());
        file.create_pending(&SecureRandom::system()).unwrap();
        let new = file.create_pending(&SecureRandom::system()).unwrap();
        assert_ne!(old.id().unwrap(), new.id().unwrap());
        assert_eq!(
            load_or_create(&path).unwrap().id().unwrap(),
            old.id().unwrap(),
            "not yet"
        );
        let backup = file.commit_pending(&old.id().unwrap()).unwrap();
        assert_eq!(
            load_or_create(&path).unwrap().id().unwrap(),
            new.id().unwrap()
        );
        assert_eq!(load(&backup).unwrap().id().unwrap(), old.id().unwrap());
        assert!(file.pending().unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn unreadable_pending_key_is_an_error() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder().join("master.key");
        let file = KeyFile::at(&path);
        assert!(file.load().unwrap().is_none());
        load_or_create(&path).unwrap();
        assert!(file.load().unwrap().is_some());
        file.create_pending(&SecureRandom::system()).unwrap();
        std::fs::set_permissions(
            path.with_extension("key.new"),
            std::fs::Permissions::from_mode(0o644),
        )
        .unwrap();
        assert!(
            file.pending()
                .unwrap_err()
                .to_string()
                .contains("chmod 600")
        );
    }

    #[test]
    fn truncated_pending_key_is_ignored() {
        let path = folder().join("master.key");
        durable_fs::create(&path.with_extension("key.new"), b"q8Zr2", Mode::PRIVATE).unwrap();
        assert!(KeyFile::at(&path).pending().unwrap().is_none());
        KeyFile::at(&path).discard_pending().unwrap();
        KeyFile::at(&path).discard_pending().unwrap();
    }
}
