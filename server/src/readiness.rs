//! Whether the server can serve: its disks have space, its tables can be read, and a commit succeeds.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use auth::StoreUnavailable;
use store::Store;
use tokio::{sync::Mutex, time::timeout};

/// Every request reads, but only one in this time commits, however many are sent.
const MIN_COMMIT_INTERVAL: Duration = Duration::from_secs(1);
/// A database that answers later counts as down.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes. A disk with less takes neither a commit nor a file.
const MIN_FREE_BYTES: u64 = 64 * 1024;

/// The last commit that a readiness check tried.
#[derive(Debug, Default)]
pub struct Readiness {
    last_commit: Mutex<Option<TriedCommit>>,
}

#[derive(Clone, Debug)]
struct TriedCommit {
    at: Instant,
    result: Result<(), NotReady>,
}

/// Why the server is not ready, for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotReady(String);

impl Readiness {
    /// `folders` are those that a serving installation writes.
    pub(crate) async fn check(&self, store: &Store, folders: &[&Path]) -> Result<(), NotReady> {
        folders.iter().try_for_each(|folder| check_disk(folder))?;
        answered(store.check_tables()).await?;
        let mut last = self.last_commit.lock().await;
        if let Some(tried) = &*last
            && tried.at.elapsed() < MIN_COMMIT_INTERVAL
        {
            return tried.result.clone();
        }
        let result = answered(store.check_writable()).await;
        *last = Some(TriedCommit {
            at: Instant::now(),
            result: result.clone(),
        });
        result
    }
}

async fn answered(
    check: impl Future<Output = Result<(), StoreUnavailable>>,
) -> Result<(), NotReady> {
    match timeout(ANSWER_TIMEOUT, check).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(NotReady(error.to_string())),
        Err(_) => Err(NotReady("the database does not answer".to_owned())),
    }
}

/// Costs one system call, so it has no limit.
#[cfg(unix)]
fn check_disk(folder: &Path) -> Result<(), NotReady> {
    use rustix::fs::{StatVfsMountFlags, statvfs};
    let refused = |what: &str| NotReady(format!("{}: {what}", folder.display()));
    let disk = statvfs(folder).map_err(|error| refused(&error.to_string()))?;
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Err(refused("the file system is read-only"));
    }
    // Root may use the reserve too.
    let blocks = if rustix::process::geteuid().is_root() {
        disk.f_bfree
    } else {
        disk.f_bavail
    };
    if blocks.saturating_mul(disk.f_frsize) < MIN_FREE_BYTES {
        return Err(refused("the disk is full"));
    }
    // File systems without a table of files report none in all.
    if disk.f_files > 0 && disk.f_ffree == 0 {
        return Err(refused("the disk takes no more files"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_disk(_: &Path) -> Result<(), NotReady> {
    Ok(())
}
