//! For tests: an in-memory implementation of [`VaultStore`], and sample actors.

mod rows;
mod store;

use std::{
    path::{Path, PathBuf},
    process::Command as Process,
};

use auth::{Actor, Clock, Username};
use jiff::Timestamp;

pub(crate) use store::MemoryStore;

use crate::{Blob, BlobId, File, FileId, Filename, Realm, UserText, VaultId, VaultName};

pub(crate) fn actor(name: &str) -> Actor {
    Actor::new(Username::parse(name).unwrap())
}

pub(crate) fn realm(name: &str) -> Realm {
    Realm {
        id: VaultId::new(name),
        name: VaultName::parse(name).unwrap(),
    }
}

pub(crate) fn text(raw: &str) -> UserText {
    UserText::from_stored(raw.to_owned())
}

pub(crate) fn clock() -> Clock {
    Clock::from_fn(|| Timestamp::from_second(1_795_000_000).unwrap())
}

/// Runs a program in `folder`, with a home directory of its own; returns its output.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Process::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {out}{err}"
    );
    format!("{out}{err}")
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    run(folder, "git", arguments)
}

/// Every file below `folder` except `.git`, with its content.
pub(crate) fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            if entry.ends_with(".git") {
                continue;
            }
            if entry.is_dir() {
                folders.push(entry);
            } else {
                found.push((
                    entry.strip_prefix(folder).unwrap().to_owned(),
                    std::fs::read(&entry).unwrap(),
                ));
            }
        }
    }
    found.sort();
    found
}

/// A file without lock, described.
pub(crate) fn file_named(name: &str, description: &str) -> File {
    File {
        id: FileId::new("f1"),
        name: Filename::from_stored(name),
        description: (!description.is_empty()).then(|| text(description)),
        revision: 1,
        change: 1,
        blob: Blob {
            id: BlobId::parse(&"0".repeat(64)).unwrap(),
            size: 0,
        },
        modified_at: Timestamp::UNIX_EPOCH,
        modified_by: Username::parse("ada").unwrap(),
        lock: None,
        lock_seq: 0,
        deleted: false,
    }
}
