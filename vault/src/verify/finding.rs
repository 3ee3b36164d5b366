//! The findings of `verify`, each one sentence.

use std::fmt;

use crate::{BlobId, Filename, VaultName};

/// An error, or a harmless fact worth reporting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    #[error("{vault}: the content of {file}, revision {revision}, is missing ({blob}).")]
    ContentMissing {
        vault: VaultName,
        file: Filename,
        revision: i64,
        blob: BlobId,
    },
    #[error("{vault}: the content of {file}, revision {revision}, is damaged ({blob}).")]
    ContentDamaged {
        vault: VaultName,
        file: Filename,
        revision: i64,
        blob: BlobId,
    },
    /// For example from an upload whose request was refused in the end. Harmless.
    #[error("{vault}: {blob} is stored but no revision refers to it.")]
    Unreferenced { vault: VaultName, blob: BlobId },
    #[error("{vault}: there is no git repository. The next start of the server recreates it.")]
    NoRepository { vault: VaultName },
    /// Git is as it was when the program ended; the next start derives the rest.
    #[error(
        "{vault}: git has {commits} of {changes} changes. The next start of the server derives the rest."
    )]
    Behind {
        vault: VaultName,
        commits: i64,
        changes: i64,
    },
    #[error("{vault}: in git, change {change} ({file}, revision {revision}) {what}.")]
    Commit {
        vault: VaultName,
        change: i64,
        file: Filename,
        revision: i64,
        what: GitFault,
    },
    #[error("{vault}: git branch main ({commits} commits) does not match the {changes} changes.")]
    Branch {
        vault: VaultName,
        commits: i64,
        changes: i64,
    },
    #[error("{vault}: the change numbers have a gap: found {found}, expected {expected}.")]
    Gap {
        vault: VaultName,
        expected: i64,
        found: i64,
    },
    #[error("{vault}: {file} is in the list of files but not in git's newest tree.")]
    NotInGit { vault: VaultName, file: Filename },
    #[error("{vault}: {file} is in git's newest tree but not in the list of files.")]
    NotInFiles { vault: VaultName, file: Filename },
    #[error("{vault}: {file} has different content in git's newest tree and in the list of files.")]
    Differs { vault: VaultName, file: Filename },
}

/// The fault in the objects of one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitFault {
    Missing,
    Damaged,
}

impl fmt::Display for GitFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "lacks an object, or differs from its row",
            Self::Damaged => "has a damaged object",
        })
    }
}

impl Finding {
    /// False for harmless facts.
    #[must_use]
    pub fn is_error(&self) -> bool {
        !matches!(self, Self::Unreferenced { .. } | Self::Behind { .. })
    }
}

/// The numbers of checked items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub vaults: u64,
    pub files: u64,
    pub changes: u64,
    pub blobs: u64,
    /// Bytes of content read and hashed.
    pub bytes: u64,
}

impl Summary {
    pub(super) fn add(&mut self, other: &Self) {
        self.vaults += other.vaults;
        self.files += other.files;
        self.changes += other.changes;
        self.blobs += other.blobs;
        self.bytes += other.bytes;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            vaults,
            files,
            changes,
            blobs,
            bytes,
        } = self;
        write!(
            f,
            "Checked {vaults} vaults, {files} files, {changes} changes, {blobs} blobs with {} MB of content.",
            bytes / 1_000_000
        )
    }
}
