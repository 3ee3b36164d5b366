//! Replays the changes of a vault over its repository: every object is read and compared byte for
//! byte, nothing is written.

use std::{collections::HashMap, path::PathBuf};

use gix::{
    ObjectId,
    objs::{FindExt, Kind},
};
use tokio::{runtime::Handle, sync::mpsc::UnboundedSender};

use super::{
    BadBlobs, PAGE,
    finding::{Finding, GitFault, Summary},
};
use crate::{
    File, Filename, Realm, Revision, VaultError, VaultName, VaultStore,
    blob::BlobState,
    git::{
        GitError,
        history::{CommitReplay, ObjectSink},
        objects,
        repository::{Repository, path_of},
    },
    order::Position,
    store::FileQuery,
};

/// The check of one vault.
pub(super) struct Check<S> {
    pub(super) store: S,
    pub(super) runtime: Handle,
    pub(super) repositories: PathBuf,
    pub(super) vault: Realm,
    pub(super) bad: BadBlobs,
    pub(super) findings: UnboundedSender<Finding>,
}

/// Whether git's branch matches the rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Branch {
    Equal,
    Other,
}

/// How far rows and git match.
#[derive(Default)]
struct Replayed {
    changes: i64,
    /// The commits that follow from the rows, oldest first, as far as git could be read.
    expected: Vec<ObjectId>,
}

impl<S: VaultStore> Check<S> {
    pub(super) fn run(self) -> Result<Summary, VaultError> {
        let mut summary = Summary {
            vaults: 1,
            ..Summary::default()
        };
        let repository = Repository::open(&path_of(&self.repositories, &self.vault.name)).ok();
        let replayed = self.replay(repository.as_ref())?;
        summary.changes = u64::try_from(replayed.changes).unwrap_or(0);
        let in_git = match &repository {
            Some(repository) if self.compare_branch(repository, &replayed) == Branch::Equal => {
                Some(files_in_git(repository).unwrap_or_default())
            }
            Some(_) => None,
            None => {
                self.no_repository(&replayed);
                None
            }
        };
        summary.files = self.compare_files(in_git, &replayed)?;
        Ok(summary)
    }

    /// Normal for a vault that an account created before the first start of the server.
    fn no_repository(&self, replayed: &Replayed) {
        if replayed.changes > 0 {
            self.report(Finding::NoRepository {
                vault: self.vault.name.clone(),
            });
        }
    }

    fn report(&self, finding: Finding) {
        // The receiver listens until this sender is done.
        let _ = self.findings.send(finding);
    }

    /// Reads all rows, also after git stops matching: content is checked for each file here.
    fn replay(&self, repository: Option<&Repository>) -> Result<Replayed, VaultError> {
        let mut replayed = Replayed::default();
        let tip = repository.and_then(Repository::branch_tip);
        let mut history = repository
            .filter(|_| tip.is_some())
            .map(|repository| (repository, CommitReplay::empty(repository)));
        loop {
            let rows = self.runtime.block_on(self.store.changes(
                &self.vault.id,
                replayed.changes,
                PAGE,
            ))?;
            if rows.is_empty() {
                return Ok(replayed);
            }
            for row in rows {
                self.check_row(&row, &mut replayed);
                // Changes after the end of the branch are not derived yet, which is not a fault of
                // a commit.
                history =
                    history.filter(|(_, history)| history.tip().is_none() || history.tip() != tip);
                if let Some((repository, going)) = &mut history {
                    match going.append(&row, &mut Reader { repository }) {
                        Ok(commit) => replayed.expected.push(commit),
                        Err(error) => {
                            self.commit_fault(&row, &error);
                            history = None;
                        }
                    }
                }
            }
        }
    }

    fn check_row(&self, row: &Revision, replayed: &mut Replayed) {
        let vault = || self.vault.name.clone();
        let expected = replayed.changes + 1;
        if row.change != expected {
            self.report(Finding::Gap {
                vault: vault(),
                expected,
                found: row.change,
            });
        }
        replayed.changes = row.change;
        let bad = row.blob.as_ref().and_then(|blob| self.bad.get(&blob.id));
        let Some((blob, state)) = bad else { return };
        let (vault, file, revision, blob) =
            (vault(), row.name.clone(), row.revision, blob.id.clone());
        self.report(match state {
            BlobState::Missing => Finding::ContentMissing {
                vault,
                file,
                revision,
                blob,
            },
            _ => Finding::ContentDamaged {
                vault,
                file,
                revision,
                blob,
            },
        });
    }

    fn commit_fault(&self, row: &Revision, error: &GitError) {
        tracing::debug!(%error, change = row.change, "cannot replay git further");
        let what = match error {
            GitError::Folder { .. } => GitFault::Missing,
            _ => GitFault::Damaged,
        };
        self.report(Finding::Commit {
            vault: self.vault.name.clone(),
            change: row.change,
            file: row.name.clone(),
            revision: row.revision,
            what,
        });
    }

    /// Compares the branch with the rows. Commits name their parents, so equal tips are equal
    /// histories.
    fn compare_branch(&self, repository: &Repository, replayed: &Replayed) -> Branch {
        let tip = repository.branch_tip();
        let changes = replayed.changes;
        if tip == replayed.expected.last().copied()
            && replayed.expected.len() as u64 == changes.unsigned_abs()
        {
            return Branch::Equal;
        }
        let vault = self.vault.name.clone();
        let known = tip.and_then(|tip| replayed.expected.iter().position(|commit| *commit == tip));
        self.report(match known {
            Some(at) => Finding::Behind {
                vault,
                commits: i64::try_from(at + 1).unwrap_or(i64::MAX),
                changes,
            },
            None if tip.is_none() && replayed.expected.is_empty() => Finding::Behind {
                vault,
                commits: 0,
                changes,
            },
            None => Finding::Branch {
                vault,
                commits: commit_count(repository, tip),
                changes,
            },
        });
        Branch::Other
    }

    /// Compares the newest tree, if it is that of the newest change, with the list of files;
    /// returns the number of files.
    fn compare_files(
        &self,
        in_git: Option<HashMap<String, ObjectId>>,
        replayed: &Replayed,
    ) -> Result<u64, VaultError> {
        let comparable = in_git.is_some();
        let in_git = in_git.unwrap_or_default();
        let mut comparison = Comparison {
            vault: &self.vault.name,
            in_git,
            findings: Vec::new(),
        };
        let (mut count, mut after) = (0, None);
        loop {
            let query = FileQuery {
                after: after.clone(),
                limit: PAGE,
                ..FileQuery::default()
            };
            let page = self
                .runtime
                .block_on(self.store.files(&self.vault.id, query))?;
            let Some(last) = page.last() else { break };
            after = Some(Position::of_name(last.name.key()));
            count += page.len() as u64;
            for file in page {
                comparison.file(file);
            }
        }
        comparison.unmatched();
        // A running server adds files that the tree cannot contain: then the comparison is void.
        let heads = self.runtime.block_on(self.store.heads(&self.vault.id))?;
        if comparable && heads.change == replayed.changes {
            comparison
                .findings
                .into_iter()
                .for_each(|finding| self.report(finding));
        }
        Ok(count)
    }
}

/// The comparison of the list of files with the newest tree.
struct Comparison<'a> {
    vault: &'a VaultName,
    in_git: HashMap<String, ObjectId>,
    findings: Vec<Finding>,
}

impl Comparison<'_> {
    fn file(&mut self, file: File) {
        let pointer = objects::pointer(&file.blob);
        let expected =
            gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Blob, pointer.as_bytes());
        let vault = self.vault.clone();
        match self.in_git.remove(file.name.as_str()) {
            None => self.findings.push(Finding::NotInGit {
                vault,
                file: file.name,
            }),
            Some(id) if expected.ok() != Some(id) => self.findings.push(Finding::Differs {
                vault,
                file: file.name,
            }),
            Some(_) => {}
        }
    }

    /// Reports entries of the tree that match no file.
    fn unmatched(&mut self) {
        let mut left: Vec<_> = self.in_git.drain().map(|(name, _)| name).collect();
        left.sort();
        let found = |name: &String| Finding::NotInFiles {
            vault: self.vault.clone(),
            file: Filename::from_stored(name),
        };
        self.findings.extend(left.iter().map(found));
    }
}

/// The number of commits from `tip` down, as far as they can be read.
fn commit_count(repository: &Repository, mut tip: Option<ObjectId>) -> i64 {
    let mut buffer = Vec::new();
    let mut commits = 0;
    while let Some(id) = tip {
        let Ok(commit) = repository.find_commit(&id, &mut buffer) else {
            break;
        };
        commits += 1;
        tip = commit.parents().next();
    }
    commits
}

/// Every file of the newest tree except the attributes, by name.
fn files_in_git(repository: &Repository) -> gix::Result<HashMap<String, ObjectId>> {
    let mut files = HashMap::new();
    let mut buffer = Vec::new();
    let Some(tip) = repository.branch_tip() else {
        return Ok(files);
    };
    let mut trees = vec![(
        String::new(),
        repository.find_commit(&tip, &mut buffer)?.tree(),
    )];
    while let Some((folder, id)) = trees.pop() {
        for entry in repository.find_tree(&id, &mut buffer)?.entries {
            let name = format!("{folder}{}", entry.filename);
            if entry.mode.is_tree() {
                trees.push((name + "/", entry.oid.to_owned()));
            } else {
                files.insert(name, entry.oid.to_owned());
            }
        }
    }
    files.remove(objects::ATTRIBUTES_NAME);
    Ok(files)
}

/// Accepts an object only if it exists unchanged.
struct Reader<'a> {
    repository: &'a Repository,
}

impl ObjectSink for Reader<'_> {
    fn put(&mut self, kind: Kind, bytes: &[u8]) -> Result<ObjectId, GitError> {
        let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, bytes)
            .map_err(GitError::Damaged)?;
        let mut there = Vec::new();
        match self
            .repository
            .read(&id, &mut there)
            .map_err(GitError::Damaged)?
        {
            Some(found) if found == kind && there == bytes => {}
            Some(_) => {
                return Err(GitError::Damaged(
                    gix::error::message("other bytes than its name says").into(),
                ));
            }
            None => {
                return Err(crate::git::at(id.to_string())(
                    std::io::ErrorKind::NotFound.into(),
                ));
            }
        }
        if kind == Kind::Tree {
            self.repository.cache_tree(id, bytes);
        }
        Ok(id)
    }
}
