//! Content, addressed by its SHA-256. Durable before a row refers to it.

mod buffer_budget;
mod claims;
pub mod local;

use std::{fmt, io, ops::Range, sync::Arc};

use bytes::Bytes;
pub use claims::{Pin, Suspicion};
use futures_util::stream::{BoxStream, Stream};
use jiff::Timestamp;

use crate::{VaultError, VaultName};

/// SHA-256 in 64 lowercase hex digits: git-lfs's `oid`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(Arc<str>);

impl BlobId {
    /// `None` unless it is 64 lowercase hex digits.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (raw.len() == 64 && raw.bytes().all(hex)).then(|| Self(raw.into()))
    }

    pub(crate) fn of_digest(digest: &[u8]) -> Self {
        Self(hex::encode(digest).into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Content in chunks of at most 512 KiB. An error ends it.
pub type ContentStream = BoxStream<'static, io::Result<Bytes>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    pub id: BlobId,
    /// Bytes.
    pub size: u64,
}

/// Content that is durable. No row names it yet, and it is not collected while this exists.
#[derive(Debug)]
pub struct UploadedBlob {
    pub blob: Blob,
    pub pin: Pin,
}

/// The state of stored content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobState {
    Sound,
    Missing,
    /// Another size, or bytes that do not hash to the name.
    Damaged,
}

/// The storage of content. Currently a folder; other back ends, such as S3, can implement it.
pub trait BlobStore: Clone + Send + Sync + 'static {
    type Upload: BlobUpload;

    fn begin(
        &self,
        vault: &VaultName,
    ) -> impl Future<Output = Result<Self::Upload, VaultError>> + Send;
    /// The bytes of `range`. The range lies within the blob's size. A stream that is not polled
    /// holds no buffer.
    fn open(
        &self,
        vault: &VaultName,
        blob: &Blob,
        range: Range<u64>,
    ) -> impl Future<
        Output = Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, VaultError>,
    > + Send;
    /// Reads and hashes all of it.
    fn check(
        &self,
        vault: &VaultName,
        blob: &Blob,
    ) -> impl Future<Output = Result<BlobState, VaultError>> + Send;
    /// The stored blobs after `after`, by id, referenced by a revision or not.
    fn list(
        &self,
        vault: &VaultName,
        after: Option<&BlobId>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<BlobId>, VaultError>> + Send;

    // between an upload and its row
    /// Records that a row names the content of an upload.
    fn named(&self, pin: Pin) -> impl Future<Output = Result<(), VaultError>> + Send;
    /// Content that was uploaded before `before`, and that perhaps no row names.
    fn unnamed(
        &self,
        vault: &VaultName,
        before: Timestamp,
    ) -> impl Future<Output = Result<Vec<BlobId>, VaultError>> + Send;
    /// Begins to collect. `None` while an upload holds the content. Whether a row names it is
    /// looked up afterwards.
    fn suspect(&self, vault: &VaultName, id: &BlobId) -> Option<Suspicion>;
    /// Ends a suspicion: removes the content unless an upload has taken it since it began.
    fn collect(
        &self,
        suspicion: Suspicion,
        verdict: Verdict,
    ) -> impl Future<Output = Result<Collected, VaultError>> + Send;
}

/// Whether a row names suspected content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Named,
    Unnamed,
}

/// What became of suspected content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collected {
    Removed,
    Spared,
}

/// An upload. Dropped before [`finish`](Self::finish), it leaves no file.
pub trait BlobUpload: Send + 'static {
    /// Takes the next bytes and hashes them. Memory does not grow with the file.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`] as soon as the limit is passed, [`VaultError::DiskFull`].
    fn write(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), VaultError>> + Send;
    /// Writes what is buffered and frees the buffer. For a client that pauses.
    ///
    /// # Errors
    /// [`VaultError::DiskFull`], [`VaultError::Io`].
    fn flush(&mut self) -> impl Future<Output = Result<(), VaultError>> + Send;
    /// Durable (file and folder synced) when it returns.
    fn finish(self) -> impl Future<Output = Result<UploadedBlob, VaultError>> + Send;
}
