//! `strongroom verify`: rows, content and git against each other. Reads everything, changes nothing.

mod finding;
mod git;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, path::Path};

use auth::StoreUnavailable;
use tokio::{runtime::Handle, sync::mpsc};

pub use finding::{Finding, Summary};

use crate::{Blob, BlobId, BlobStore, Realm, VaultError, VaultStore, blob::BlobState};

/// Rows asked for at once.
const PAGE: u32 = 1000;

/// Blobs that are not sound, until the revisions that need them are known.
type BadBlobs = HashMap<BlobId, (Blob, BlobState)>;

/// Checks every vault: that all content is there and hashes to its name, that git says change by change what the rows
/// say, and that its newest tree is the list of files. `report` gets each finding as it is made.
///
/// # Errors
/// A database or a disk that does not answer; then nothing is known of what was not looked at.
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
        // Beside the runtime: it reads and hashes all of git.
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

/// Two lists in one order, page by page: what is kept, and what revisions name.
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
