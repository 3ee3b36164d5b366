//! A folder in git-lfs's own layout: `<root>/<vault>.git/lfs/objects/aa/bb/<oid>`, with uploads in
//! `lfs/tmp` and markers of content without a row in `lfs/unnamed`.
//!
//! Objects are immutable: a complete, synced file appears under its name by one rename.

mod folder;
mod read;
#[cfg(test)]
mod tests;
mod unnamed;
mod upload;

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::digest;
use bytes::Bytes;
use folder::DurableDirs;
use futures_util::stream::Stream;
use jiff::Timestamp;

pub use upload::LocalUpload;

use super::{
    Blob, BlobId, BlobState, BlobStore, Collected, Pin, Suspicion, Verdict,
    buffer_budget::BufferBudget, claims::Claims,
};
use crate::{VaultError, VaultName};

/// Content in a folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LocalBlobs {
    root: Arc<Path>,
    max_size: u64,
    durable: DurableDirs,
    budget: BufferBudget,
    claims: Claims,
}

impl LocalBlobs {
    /// `root` is the folder of the bare repositories; an upload of more than `max_size` bytes is
    /// refused.
    #[must_use]
    pub fn new(root: PathBuf, max_size: u64) -> Self {
        let root: Arc<Path> = root.into();
        Self {
            durable: DurableDirs::under(root.clone()),
            root,
            max_size,
            budget: BufferBudget::default(),
            claims: Claims::default(),
        }
    }

    /// Removes files left by uploads of an earlier process. Must run before the first upload.
    ///
    /// # Errors
    /// A folder cannot be read, or a leftover cannot be removed.
    pub async fn clear_leftovers(&self) -> Result<(), VaultError> {
        let root = self.root.clone();
        blocking(move || folder::clear_leftovers(&root))
            .await?
            .map_err(failed)
    }

    fn lfs(&self, vault: &VaultName) -> PathBuf {
        self.root.join(format!("{vault}.git")).join("lfs")
    }

    fn path(&self, vault: &VaultName, id: &BlobId) -> PathBuf {
        object_path(&self.lfs(vault), id)
    }
}

/// `objects/aa/bb/<oid>` of git-lfs's folder `lfs`.
fn object_path(lfs: &Path, id: &BlobId) -> PathBuf {
    let id = id.as_str();
    lfs.join("objects").join(&id[..2]).join(&id[2..4]).join(id)
}

impl BlobStore for LocalBlobs {
    type Upload = LocalUpload;

    async fn begin(&self, vault: &VaultName) -> Result<LocalUpload, VaultError> {
        // The first batch creates the file, on the thread that writes it.
        Ok(LocalUpload::new(
            self.lfs(vault),
            self.max_size,
            self.durable.clone(),
            self.budget.clone(),
            self.claims.clone(),
        ))
    }

    async fn open(
        &self,
        vault: &VaultName,
        blob: &Blob,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, VaultError> {
        let path = self.path(vault, &blob.id);
        let blob = blob.clone();
        let start = range.start;
        let file = blocking(move || open_at(&path, &blob, start)).await?;
        let length = range.end.saturating_sub(start);
        Ok(read::chunks(
            file.map_err(failed)?,
            length,
            self.budget.clone(),
        ))
    }

    async fn check(&self, vault: &VaultName, blob: &Blob) -> Result<BlobState, VaultError> {
        let (path, blob) = (self.path(vault, &blob.id), blob.clone());
        blocking(move || check(&path, &blob)).await?.map_err(failed)
    }

    async fn list(
        &self,
        vault: &VaultName,
        after: Option<&BlobId>,
        limit: u32,
    ) -> Result<Vec<BlobId>, VaultError> {
        let (objects, after) = (self.lfs(vault).join("objects"), after.cloned());
        blocking(move || folder::list(&objects, after.as_ref(), limit))
            .await?
            .map_err(failed)
    }

    async fn named(&self, pin: Pin) -> Result<(), VaultError> {
        blocking(move || unnamed::unmark(pin.marker()))
            .await?
            .map_err(failed)
    }

    async fn unnamed(
        &self,
        vault: &VaultName,
        before: Timestamp,
    ) -> Result<Vec<BlobId>, VaultError> {
        let lfs = self.lfs(vault);
        blocking(move || unnamed::list(&lfs, before))
            .await?
            .map_err(failed)
    }

    fn suspect(&self, vault: &VaultName, id: &BlobId) -> Option<Suspicion> {
        self.claims
            .suspect(unnamed::marker_path(&self.lfs(vault), id))
    }

    async fn collect(
        &self,
        suspicion: Suspicion,
        verdict: Verdict,
    ) -> Result<Collected, VaultError> {
        let ended = blocking(move || {
            suspicion.while_unclaimed(|| match verdict {
                Verdict::Named => unnamed::unmark(suspicion.marker()).map(|()| Collected::Spared),
                Verdict::Unnamed => {
                    unnamed::remove_content(suspicion.marker()).map(|()| Collected::Removed)
                }
            })
        });
        ended
            .await?
            .unwrap_or(Ok(Collected::Spared))
            .map_err(failed)
    }
}

/// Opens the content at the byte `start`. Its size must be the blob's.
fn open_at(path: &Path, blob: &Blob, start: u64) -> io::Result<fs::File> {
    let mut file = fs::File::open(path)?;
    if file.metadata()?.len() != blob.size {
        let wrong = format!("{} does not have {} bytes", blob.id, blob.size);
        return Err(io::Error::new(io::ErrorKind::InvalidData, wrong));
    }
    if start > 0 {
        io::Seek::seek(&mut file, io::SeekFrom::Start(start))?;
    }
    Ok(file)
}

fn check(path: &Path, blob: &Blob) -> io::Result<BlobState> {
    let mut file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BlobState::Missing),
        file => file?,
    };
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; 1024 * 1024];
    let mut size = 0;
    loop {
        let n = io::Read::read(&mut file, &mut buffer)?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        size += n as u64;
    }
    let sound = size == blob.size && BlobId::of_digest(hash.finish().as_ref()) == blob.id;
    Ok(if sound {
        BlobState::Sound
    } else {
        BlobState::Damaged
    })
}

/// Runs `work` on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, VaultError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|gone| VaultError::Io(io::Error::other(gone)))
}

/// `ENFILE` and `EMFILE`, which have no [`io::ErrorKind`].
fn is_out_of_descriptors(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

/// Maps an I/O error to a [`VaultError`].
fn failed(error: io::Error) -> VaultError {
    match error.kind() {
        _ if is_out_of_descriptors(&error) => VaultError::TooManyOpenFiles,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => VaultError::DiskFull,
        _ => VaultError::Io(error),
    }
}
