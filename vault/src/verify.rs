//! `strongroom verify`: compares rows, content and git. Reads everything, changes nothing.

mod finding;
mod git;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, path::Path};

use auth::StoreUnavailable;
use tokio::{runtime::Handle, sync::mpsc};

pub use finding::{Finding, Summary};

use crate::{Blob, BlobId, BlobStore, Realm, VaultError, VaultStore, blob::BlobState};

/// Rows per query.
const PAGE: u32 = 1000;

/// Blobs that are missing or damaged, until the revisions that refer to them are known.
type BadBlobs = HashMap<BlobId, (Blob, BlobState)>;

/// Checks every vault. All content must exist and hash to its name. Each git commit must match its
/// row, and git's newest tree must equal the list of files. `report` receives each finding at once.
///
/// # Errors
/// A database or disk does not answer; the state of the unchecked rest is unknown.
pub async fn verify<S: VaultStore, B: BlobStore>(
    store: &S,
    blobs: &B,
    repositories: &Path,
    mut report: impl FnMut(Finding),
) -> Result<Summary, VaultError> {
    let mut summary = Summary::default();
    for vault in store.vaults().await? {
        let bad = check_content(store, blobs, &vault, &mut summary).await?;
        find_unreferenced(store, blobs, &vault, &mut report).await?;
        let (findings, mut found) = mpsc::unbounded_channel();
        let check = git::Check {
            store: store.clone(),
            runtime: Handle::current(),
            repositories: repositories.to_owned(),
            vault,
            bad,
            findings,
        };
        // On a blocking thread: it reads and hashes all of git.
        let checking = tokio::task::spawn_blocking(move || check.run());
        while let Some(finding) = found.recv().await {
            report(finding);
        }
        summary.add(&checking.await.map_err(StoreUnavailable::from_source)??);
    }
    Ok(summary)
}

async fn check_content<S: VaultStore, B: BlobStore>(
    store: &S,
    blobs: &B,
    vault: &Realm,
    summary: &mut Summary,
) -> Result<BadBlobs, VaultError> {
    let mut bad = HashMap::new();
    let mut after: Option<BlobId> = None;
    loop {
        let page = store.blobs(&vault.id, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(bad);
        };
        after = Some(last.id.clone());
        for blob in page {
            summary.blobs += 1;
            summary.bytes += blob.size;
            let state = blobs.check(&vault.name, &blob).await?;
            if state != BlobState::Sound {
                bad.insert(blob.id.clone(), (blob, state));
            }
        }
    }
}

/// Merges two sorted lists page by page: stored blobs, and blobs that revisions refer to.
async fn find_unreferenced<S: VaultStore, B: BlobStore>(
    store: &S,
    blobs: &B,
    vault: &Realm,
    report: &mut impl FnMut(Finding),
) -> Result<(), VaultError> {
    let mut after: Option<BlobId> = None;
    loop {
        let kept = blobs.list(&vault.name, after.as_ref(), PAGE).await?;
        let Some(last) = kept.last().cloned() else {
            return Ok(());
        };
        let mut named = Vec::new();
        while named.last().is_none_or(|id| *id < last) {
            let page = store
                .blobs(&vault.id, named.last().or(after.as_ref()), PAGE)
                .await?;
            if page.is_empty() {
                break;
            }
            named.extend(page.into_iter().map(|blob| blob.id));
        }
        for blob in kept
            .into_iter()
            .filter(|id| named.binary_search(id).is_err())
        {
            report(Finding::Unreferenced {
                vault: vault.name.clone(),
                blob,
            });
        }
        after = Some(last);
    }
}
