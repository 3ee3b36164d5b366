//! One bare repository in a folder: created, opened, written to. Git settings of machine and user
//! are ignored.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use gix::{
    ObjectId,
    hash::oid,
    objs::{Data, Find, Kind, Write},
    odb::loose,
};

use super::{GitError, at};
use crate::{Realm, VaultName};

const MAIN_BRANCH: &str = "refs/heads/main";
/// Bytes of trees in the cache: consecutive changes are often in the same folder.
const MAX_CACHED_BYTES: usize = 32 * 1024 * 1024;

/// The handling of an object that seems to exist already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnExisting {
    Trusted,
    /// Rewrite it: a power failure may have left it empty or truncated.
    Rewrite,
}

pub(crate) struct Repository {
    path: PathBuf,
    git: gix::Repository,
    loose: loose::Store,
    tree_cache: RefCell<TreeCache>,
}

#[derive(Default)]
struct TreeCache {
    trees: HashMap<ObjectId, Vec<u8>>,
    bytes: usize,
}

/// The path of a vault's repository.
pub(crate) fn path_of(repositories: &Path, vault: &VaultName) -> PathBuf {
    repositories.join(format!("{vault}.git"))
}

impl Repository {
    /// Opens the vault's repository, or creates it. Other files in the folder, such as content,
    /// stay.
    pub(crate) fn open_or_init(repositories: &Path, vault: &Realm) -> Result<Self, GitError> {
        let path = path_of(repositories, &vault.name);
        for part in ["HEAD", "config"] {
            let file = path.join(part);
            // Emptied by a power failure.
            if fs::metadata(&file).is_ok_and(|there| there.len() == 0) {
                fs::remove_file(&file).map_err(at(file))?;
            }
        }
        let whole = ["HEAD", "config", "objects", "refs/heads"]
            .iter()
            .all(|part| path.join(part).exists());
        if !whole {
            init_bare(&path)?;
        }
        // Left by a process that ended while it moved the branch; no other process moves it.
        let lock = path.join(MAIN_BRANCH).with_extension("lock");
        match fs::remove_file(&lock) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(lock)(error)),
            _ => {}
        }
        let head = path.join("HEAD");
        let expected = format!("ref: {MAIN_BRANCH}\n");
        if fs::read_to_string(&head).ok().as_deref() != Some(expected.as_str()) {
            fs::write(&head, expected).map_err(at(head))?;
        }
        Self::open(&path)
    }

    pub(crate) fn open(path: &Path) -> Result<Self, GitError> {
        let options = gix::open::Options::isolated().with(gix::sec::Trust::Full);
        let git = gix::open_opts(path, options).map_err(GitError::Damaged)?;
        let loose = loose::Store::at(path.join("objects"), gix::hash::Kind::Sha1);
        Ok(Self {
            path: path.to_owned(),
            git,
            loose,
            tree_cache: RefCell::default(),
        })
    }

    /// The commit of that id, if it exists and is complete.
    pub(crate) fn commit(&self, hex: &str) -> Option<ObjectId> {
        let id = ObjectId::from_hex(hex.as_bytes()).ok()?;
        self.git.find_commit(id).ok().map(|commit| commit.id)
    }

    /// The commit of the branch; `None` without a commit, or if it cannot be read.
    pub(crate) fn branch_tip(&self) -> Option<ObjectId> {
        Some(
            self.git
                .find_reference(MAIN_BRANCH)
                .ok()?
                .peel_to_id()
                .ok()?
                .detach(),
        )
    }

    /// Moves the branch by git's own protocol: a lock file is renamed over the reference.
    pub(crate) fn set_branch_tip(&self, tip: ObjectId) -> Result<(), GitError> {
        let path = self.path.join(MAIN_BRANCH);
        let lock = path.with_extension("lock");
        let mut file = fs::File::create_new(&lock).map_err(at(&lock))?;
        let written = io::Write::write_all(&mut file, format!("{tip}\n").as_bytes());
        written
            .and_then(|()| fs::rename(&lock, &path))
            .map_err(|error| {
                let _ = fs::remove_file(&lock);
                at(path)(error)
            })
    }

    /// Writes an object. Not durable: see [`durable`](super::durable).
    pub(crate) fn write(
        &self,
        kind: Kind,
        bytes: &[u8],
        existing: OnExisting,
    ) -> Result<Written, GitError> {
        let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, bytes)
            .map_err(GitError::Unwritten)?;
        if existing == OnExisting::Trusted && self.loose.contains(&id) {
            return Ok(Written::Existed(id));
        }
        self.loose
            .write_buf_with_known_id(kind, bytes, id)
            .map_err(GitError::Unwritten)?;
        Ok(Written::Created(id))
    }

    /// Caches a tree for [`Find`].
    pub(crate) fn cache_tree(&self, id: ObjectId, tree: &[u8]) {
        let mut recent = self.tree_cache.borrow_mut();
        if recent.bytes + tree.len() > MAX_CACHED_BYTES {
            *recent = TreeCache::default();
        }
        if recent.trees.insert(id, tree.to_owned()).is_none() {
            recent.bytes += tree.len();
        }
    }

    /// The bytes of an object as stored.
    pub(crate) fn read(&self, id: &oid, buffer: &mut Vec<u8>) -> gix::Result<Option<Kind>> {
        Ok(self.git.objects.try_find(id, buffer)?.map(|data| data.kind))
    }
}

pub(crate) enum Written {
    Created(ObjectId),
    Existed(ObjectId),
}

impl Find for Repository {
    fn try_find<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        if let Some(tree) = self.tree_cache.borrow().trees.get(id) {
            buffer.clear();
            buffer.extend_from_slice(tree);
            return Ok(Some(Data::new(buffer, Kind::Tree, gix::hash::Kind::Sha1)));
        }
        self.git.objects.try_find(id, buffer)
    }
}

/// Creates it in another folder and moves it in, because git creates bare repositories only in
/// empty folders. `HEAD` comes last: with it git recognizes the folder as a repository.
fn init_bare(path: &Path) -> Result<(), GitError> {
    let new = path.with_extension("git.new");
    match fs::remove_dir_all(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(new)(error)),
        _ => {}
    }
    fs::create_dir_all(&new).map_err(at(&new))?;
    fs::create_dir_all(path).map_err(at(path))?;
    gix::create::into(
        &new,
        gix::create::Kind::Bare,
        gix::create::Options::default(),
    )
    .map_err(GitError::Unwritten)?;
    for part in [
        "config",
        "description",
        "hooks",
        "info",
        "objects",
        "refs",
        "HEAD",
    ] {
        let to = path.join(part);
        if !to.exists() {
            fs::rename(new.join(part), &to).map_err(at(to))?;
        }
    }
    for folder in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
        fs::create_dir_all(path.join(folder)).map_err(at(folder))?;
    }
    for file in ["config", "HEAD"] {
        let file = path.join(file);
        fs::File::open(&file)
            .and_then(|file| file.sync_all())
            .map_err(at(file))?;
    }
    fs::remove_dir_all(&new).map_err(at(new))
}
