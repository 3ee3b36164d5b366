use std::{
    fs::{self, File as DiskFile},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use auth::{Clock, SecureRandom};
use bytes::Bytes;
use tempfile::TempDir;

use super::{
    super::core::{Context, UploadedOperation, VaultCore},
    *,
};
use crate::{
    BlobUpload as _, FileId, Filename, LocalBlobs, Operation,
    blob::UploadedBlob,
    testing::{MemoryStore, actor, text},
};

const DAY: Duration = Duration::from_hours(24);

struct Fixture {
    data: TempDir,
    core: VaultCore<MemoryStore, LocalBlobs>,
    vault: Realm,
    seconds_ahead: Arc<AtomicI64>,
}

impl Fixture {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let seconds_ahead = Arc::new(AtomicI64::new(0));
        let ahead = seconds_ahead.clone();
        let clock = Clock::from_fn(move || {
            Clock::system().now() + SignedDuration::from_secs(ahead.load(Ordering::SeqCst))
        });
        let store = MemoryStore::default();
        let blobs = LocalBlobs::new(data.path().to_owned(), 1_000_000);
        let folder = data.path().to_owned();
        let core = VaultCore::open(store.clone(), blobs, folder, clock, SecureRandom::system());
        let core = core.await.unwrap();
        let vault = store.vaults().await.unwrap().remove(0);
        Self {
            data,
            core,
            vault,
            seconds_ahead,
        }
    }

    fn advance_clock(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap();
        self.seconds_ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn upload(&self, bytes: &[u8]) -> UploadedBlob {
        let mut upload = self.core.blobs.begin(&self.vault.name).await.unwrap();
        upload.write(Bytes::copy_from_slice(bytes)).await.unwrap();
        upload.finish().await.unwrap()
    }

    async fn add(&self, file: &str, content: UploadedBlob) -> Result<crate::File, VaultError> {
        let operation = Operation::Add {
            id: FileId::random(&self.core.rng),
            blob: content.blob,
            comment: text(""),
        };
        let by = Context {
            vault: &self.vault,
            actor: &actor("ada"),
        };
        let operation = UploadedOperation::with(operation, content.pin);
        let name = Filename::parse(file).unwrap();
        self.core.apply(by, &name, operation, None).await
    }

    /// The content of an add that loses the race for `part.step`.
    async fn refused(&self, bytes: &[u8]) -> BlobId {
        let content = self.upload(bytes).await;
        let id = content.blob.id.clone();
        let refused = self.add("part.step", content).await;
        assert!(matches!(refused, Err(VaultError::Exists { .. })));
        id
    }

    async fn collect(&self) -> u64 {
        self.core.collect_refused_uploads().await.unwrap()
    }

    async fn stored(&self) -> Vec<BlobId> {
        let blobs = &self.core.blobs;
        blobs.list(&self.vault.name, None, 100).await.unwrap()
    }

    fn marker(&self, id: &BlobId) -> PathBuf {
        let lfs = self.data.path().join("main.git/lfs");
        lfs.join("unnamed").join(id.as_str())
    }

    /// The marker that a crash between the row and its removal leaves.
    fn leave_marker(&self, id: &BlobId) {
        fs::write(self.marker(id), "\n").unwrap();
    }
}

#[tokio::test]
async fn refused_content_is_collected_after_a_day() {
    let app = Fixture::new().await;
    let named = app.upload(b"named").await;
    let named_id = named.blob.id.clone();
    app.add("part.step", named).await.unwrap();
    let refused = app.refused(b"refused").await;
    app.advance_clock(Duration::from_mins(24 * 60 - 1));
    assert_eq!(app.collect().await, 0);
    assert!(app.stored().await.contains(&refused));
    app.advance_clock(Duration::from_mins(1));
    assert_eq!(app.collect().await, 1);
    assert_eq!(app.stored().await, [named_id]);
    assert!(!app.marker(&refused).exists());
    assert_eq!(app.collect().await, 0);
}

#[tokio::test]
async fn named_content_stays_despite_a_leftover_marker() {
    let app = Fixture::new().await;
    let content = app.upload(b"named").await;
    let id = content.blob.id.clone();
    assert!(app.marker(&id).exists(), "marked before a row names it");
    app.add("part.step", content).await.unwrap();
    assert!(!app.marker(&id).exists());
    app.leave_marker(&id);
    app.advance_clock(DAY);
    assert_eq!(app.collect().await, 0);
    assert_eq!(app.stored().await, std::slice::from_ref(&id));
    assert!(!app.marker(&id).exists());
}

#[tokio::test]
async fn content_of_a_pending_upload_is_not_collected() {
    let app = Fixture::new().await;
    let content = app.upload(b"slow").await;
    let id = content.blob.id.clone();
    app.advance_clock(DAY * 3);
    assert_eq!(app.collect().await, 0);
    app.add("part.step", content).await.unwrap();
    assert_eq!(app.collect().await, 0);
    assert_eq!(app.stored().await, [id]);
}

#[tokio::test]
async fn same_bytes_checked_in_while_collecting_stay() {
    let app = Fixture::new().await;
    let first = app.upload(b"first").await;
    app.add("part.step", first).await.unwrap();
    let refused = app.refused(b"again").await;
    app.advance_clock(DAY);
    let suspicion = app.core.blobs.suspect(&app.vault.name, &refused).unwrap();
    assert!(
        !app.core
            .store
            .has_blob(&app.vault.id, &refused)
            .await
            .unwrap()
    );
    // The same bytes arrive and are named between the look-up and the removal.
    let content = app.upload(b"again").await;
    app.add("other.step", content).await.unwrap();
    let ended = app.core.blobs.collect(suspicion, Verdict::Unnamed).await;
    assert_eq!(ended.unwrap(), Collected::Spared);
    assert!(app.stored().await.contains(&refused));
}

#[tokio::test]
async fn same_bytes_uploaded_after_collecting_are_stored_again() {
    let app = Fixture::new().await;
    let first = app.upload(b"first").await;
    app.add("part.step", first).await.unwrap();
    let refused = app.refused(b"again").await;
    app.advance_clock(DAY);
    assert_eq!(app.collect().await, 1);
    let content = app.upload(b"again").await;
    app.add("other.step", content).await.unwrap();
    assert_eq!(app.collect().await, 0);
    assert!(app.stored().await.contains(&refused));
}

#[tokio::test]
async fn repeated_refusal_starts_the_day_again() {
    let app = Fixture::new().await;
    let first = app.upload(b"first").await;
    app.add("part.step", first).await.unwrap();
    let refused = app.refused(b"again").await;
    let yesterday = std::time::SystemTime::UNIX_EPOCH;
    let marker = DiskFile::options()
        .write(true)
        .open(app.marker(&refused))
        .unwrap();
    marker.set_modified(yesterday).unwrap();
    assert_eq!(app.refused(b"again").await, refused);
    assert_eq!(app.collect().await, 0);
    marker.set_modified(yesterday).unwrap();
    assert_eq!(app.collect().await, 1);
}

#[tokio::test]
async fn content_without_marker_is_never_collected() {
    let app = Fixture::new().await;
    let content = app.upload(b"of another database").await;
    let id = content.blob.id.clone();
    drop(content);
    fs::remove_file(app.marker(&id)).unwrap();
    app.advance_clock(DAY * 100);
    assert_eq!(app.collect().await, 0);
    assert_eq!(app.stored().await, [id]);
}

#[tokio::test]
async fn interrupted_collecting_is_finished_the_next_time() {
    let app = Fixture::new().await;
    let content = app.upload(b"half removed").await;
    let id = content.blob.id.clone();
    drop(content);
    let objects = app.data.path().join("main.git/lfs/objects");
    let (first, second) = (&id.as_str()[..2], &id.as_str()[2..4]);
    fs::remove_file(objects.join(first).join(second).join(id.as_str())).unwrap();
    app.advance_clock(DAY);
    assert_eq!(app.collect().await, 1);
    assert!(!app.marker(&id).exists());
}

#[tokio::test]
async fn database_failure_collects_nothing() {
    let app = Fixture::new().await;
    let content = app.upload(b"unknown").await;
    let id = content.blob.id.clone();
    drop(content);
    app.advance_clock(DAY);
    app.core.store.lock().failing = true;
    let failed = app.core.collect_refused_uploads().await;
    assert!(matches!(failed, Err(VaultError::Store(_))), "{failed:?}");
    assert_eq!(app.stored().await, [id]);
    app.core.store.lock().failing = false;
    assert_eq!(app.collect().await, 1);
}
