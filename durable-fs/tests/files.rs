//! Content, owner and mode of files that are created, replaced and renamed.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a panic fails the test; a skipped one says so"
)]

use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::Path,
};

use durable_fs::{Mode, StagedFile};

/// An account that is not root, and its group.
const UID: u32 = 4711;
const GID: u32 = 4712;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn owner(path: &Path) -> (u32, u32) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.gid())
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

/// Only root may give files to other accounts.
fn is_root(folder: &Path) -> bool {
    let is_root = owner(folder).0 == 0;
    if !is_root {
        eprintln!("SKIPPED: only root can test the owner of replaced files");
    }
    is_root
}

#[test]
fn new_file_has_the_given_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    durable_fs::replace(&path, b"one", Mode::PRIVATE).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn replaced_file_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    durable_fs::create(&path, b"one", Mode::PRIVATE).unwrap();
    set_mode(&path, 0o640);
    durable_fs::replace(&path, b"two", Mode::PRIVATE).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(mode(&path), 0o640);
    assert_eq!(entries(folder.path()), 1, "no temporary file is left");
}

#[test]
fn existing_file_is_not_created_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    durable_fs::create(&path, b"one", Mode::PRIVATE).unwrap();
    let error = durable_fs::create(&path, b"two", Mode::PRIVATE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"one");
    assert_eq!(entries(folder.path()), 1, "no temporary file is left");
}

#[test]
fn dropped_staged_file_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut staged = StagedFile::in_folder(folder.path(), Mode::DEFAULT).unwrap();
    staged.write_all(b"half").unwrap();
    assert_eq!(entries(folder.path()), 1);
    drop(staged);
    assert_eq!(entries(folder.path()), 0);
}

#[test]
fn staged_file_can_be_placed_after_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("below");
    let staged = StagedFile::in_folder(folder.path(), Mode::DEFAULT).unwrap();
    let failed = staged.place(&below.join("file")).unwrap_err();
    assert_eq!(failed.source.kind(), ErrorKind::NotFound);
    fs::create_dir(&below).unwrap();
    failed.file.place(&below.join("file")).unwrap();
    assert!(below.join("file").exists());
}

#[test]
fn renamed_file_takes_mode_of_replaced_file() {
    let folder = tempfile::tempdir().unwrap();
    let [from, to] = ["new", "key"].map(|name| folder.path().join(name));
    durable_fs::create(&from, b"two", Mode::PRIVATE).unwrap();
    durable_fs::create(&to, b"one", Mode::PRIVATE).unwrap();
    set_mode(&to, 0o400);
    durable_fs::rename(&from, &to).unwrap();
    assert_eq!(fs::read(&to).unwrap(), b"two");
    assert_eq!(mode(&to), 0o400);
    assert!(!from.exists());
}

#[test]
fn files_written_by_root_keep_their_owner() {
    let folder = tempfile::tempdir().unwrap();
    if !is_root(folder.path()) {
        return;
    }
    let at = |name: &str| folder.path().join(name);
    durable_fs::create(&at("key"), b"one", Mode::PRIVATE).unwrap();
    assert_eq!(owner(&at("key")), (0, 0));
    chown(at("key"), Some(UID), Some(GID)).unwrap();
    durable_fs::replace(&at("key"), b"two", Mode::PRIVATE).unwrap();
    durable_fs::create_like(&at("copy"), b"two", &at("key")).unwrap();
    durable_fs::create(&at("new"), b"three", Mode::PRIVATE).unwrap();
    assert_eq!(owner(&at("new")), (0, 0));
    durable_fs::rename(&at("new"), &at("copy")).unwrap();
    for name in ["key", "copy"] {
        assert_eq!(owner(&at(name)), (UID, GID), "{name}");
        assert_eq!(mode(&at(name)), 0o600, "{name}");
    }
}

#[test]
fn new_file_of_root_gets_owner_of_folder() {
    let folder = tempfile::tempdir().unwrap();
    if !is_root(folder.path()) {
        return;
    }
    chown(folder.path(), Some(UID), Some(GID)).unwrap();
    let path = folder.path().join("key");
    durable_fs::create(&path, b"one", Mode::PRIVATE).unwrap();
    assert_eq!(owner(&path), (UID, GID));
    assert_eq!(mode(&path), 0o600);
}
