use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::*;
use crate::BlobUpload;

fn main_vault() -> VaultName {
    VaultName::parse("main").unwrap()
}

fn sha256(bytes: &[u8]) -> BlobId {
    BlobId::of_digest(digest::digest(&digest::SHA256, bytes).as_ref())
}

async fn store_blob(blobs: &LocalBlobs, bytes: &[u8]) -> Result<Blob, VaultError> {
    let mut upload = blobs.begin(&main_vault()).await?;
    for piece in bytes.chunks(100_000) {
        upload.write(Bytes::copy_from_slice(piece)).await?;
    }
    let uploaded = upload.finish().await?;
    blobs.named(uploaded.pin).await?;
    Ok(uploaded.blob)
}

async fn read_blob(blobs: &LocalBlobs, blob: &Blob, range: Range<u64>) -> Vec<u8> {
    let content = blobs.open(&main_vault(), blob, range).await.unwrap();
    content.try_collect::<Vec<_>>().await.unwrap().concat()
}

fn pseudo_random_bytes(n: u32) -> Vec<u8> {
    (0..n)
        .map(|i| u8::try_from(i.wrapping_mul(2_654_435_761) >> 24).unwrap())
        .collect()
}

fn files_below(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { files_below(&path) } else { 1 })
        .sum()
}

#[tokio::test]
async fn blob_content_round_trips_in_full_or_range() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::new(folder.path().join("repositories"), u64::MAX);
    fs::create_dir(folder.path().join("repositories")).unwrap();
    for size in [0, 1, 99_999, 1 << 20, (1 << 20) + 1, 3_333_333] {
        let bytes = pseudo_random_bytes(size);
        let blob = store_blob(&blobs, &bytes).await.unwrap();
        assert_eq!((blob.size, &blob.id), (u64::from(size), &sha256(&bytes)));
        assert_eq!(read_blob(&blobs, &blob, 0..blob.size).await, bytes);
        assert_eq!(
            blobs.check(&main_vault(), &blob).await.unwrap(),
            BlobState::Sound
        );
    }
    let bytes = pseudo_random_bytes(3_333_333);
    let blob = Blob {
        id: sha256(&bytes),
        size: 3_333_333,
    };
    assert_eq!(
        read_blob(&blobs, &blob, 1_000_000..1_000_007).await,
        &bytes[1_000_000..1_000_007]
    );
    assert_eq!(
        read_blob(&blobs, &blob, 3_333_330..3_333_333).await,
        &bytes[3_333_330..]
    );
    assert_eq!(
        files_below(&folder.path().join("repositories/main.git/lfs/tmp")),
        0
    );
}

#[tokio::test]
async fn blob_is_stored_at_the_git_lfs_path() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::new(folder.path().to_owned(), u64::MAX);
    store_blob(&blobs, b"abc").await.unwrap();
    let id = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let path = folder.path().join("main.git/lfs/objects/ba/78").join(id);
    assert_eq!(fs::read(path).unwrap(), b"abc");
}

#[tokio::test]
async fn upload_over_size_limit_is_rejected_without_leftovers() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::new(folder.path().to_owned(), 2_000_000);
    assert_eq!(
        store_blob(&blobs, &pseudo_random_bytes(2_000_000))
            .await
            .unwrap()
            .size,
        2_000_000
    );
    let before = files_below(folder.path());
    let mut upload = blobs.begin(&main_vault()).await.unwrap();
    upload
        .write(Bytes::from(pseudo_random_bytes(1_999_999)))
        .await
        .unwrap();
    let refused = upload.write(Bytes::from_static(b"ab")).await;
    assert!(matches!(
        refused,
        Err(VaultError::TooLarge { limit: 2_000_000 })
    ));
    assert!(
        matches!(
            upload.finish().await,
            Err(VaultError::TooLarge { limit: 2_000_000 })
        ),
        "a truncated upload is not stored"
    );
    assert_eq!(files_below(folder.path()), before);
}

#[tokio::test]
async fn dropped_upload_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::new(folder.path().to_owned(), u64::MAX);
    let mut upload = blobs.begin(&main_vault()).await.unwrap();
    upload
        .write(Bytes::from(pseudo_random_bytes(5 << 20)))
        .await
        .unwrap();
    let sink = upload.writer().await.unwrap();
    assert_eq!(files_below(folder.path()), 1);
    drop((sink, upload));
    assert_eq!(files_below(folder.path()), 0);
}

#[tokio::test]
async fn leftover_upload_file_is_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::new(folder.path().to_owned(), u64::MAX);
    blobs.clear_leftovers().await.unwrap();
    let blob = store_blob(&blobs, b"kept").await.unwrap();
    fs::write(
        folder.path().join("main.git/lfs/tmp/17-0"),
        "half of a file",
    )
    .unwrap();
    blobs.clear_leftovers().await.unwrap();
    assert_eq!(files_below(folder.path()), 1);
    assert_eq!(read_blob(&blobs, &blob, 0..4).await, b"kept");
    assert_eq!(store_blob(&blobs, b"after").await.unwrap().size, 5);
    LocalBlobs::new(folder.path().join("nowhere"), 1)
        .clear_leftovers()
        .await
        .unwrap();
}

#[tokio::test]
async fn reuploaded_content_repairs_a_truncated_object() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::new(folder.path().to_owned(), u64::MAX);
    let blob = store_blob(&blobs, b"gears").await.unwrap();
    let path = blobs.path(&main_vault(), &blob.id);
    fs::write(&path, "gea").unwrap();
    assert_eq!(
        blobs.check(&main_vault(), &blob).await.unwrap(),
        BlobState::Damaged
    );
    let opened = blobs.open(&main_vault(), &blob, 0..5).await.map(drop);
    assert!(
        matches!(&opened, Err(VaultError::Io(error)) if error.kind() == io::ErrorKind::InvalidData),
        "a truncated object is not served: {opened:?}"
    );
    assert_eq!(store_blob(&blobs, b"gears").await.unwrap(), blob);
    assert_eq!(
        blobs.check(&main_vault(), &blob).await.unwrap(),
        BlobState::Sound
    );
}

#[tokio::test]
async fn damaged_or_missing_blob_is_detected() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::new(folder.path().to_owned(), u64::MAX);
    let blob = store_blob(&blobs, b"gears").await.unwrap();
    fs::write(blobs.path(&main_vault(), &blob.id), "bears").unwrap();
    assert_eq!(
        blobs.check(&main_vault(), &blob).await.unwrap(),
        BlobState::Damaged
    );
    fs::remove_dir_all(folder.path().join("main.git")).unwrap();
    assert_eq!(
        blobs.check(&main_vault(), &blob).await.unwrap(),
        BlobState::Missing
    );
    // The cached folders are created again.
    assert_eq!(store_blob(&blobs, b"gears").await.unwrap(), blob);
}

#[tokio::test]
async fn parallel_uploads_of_same_content_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::new(folder.path().to_owned(), u64::MAX);
    let uploads: Vec<_> = (0..16)
        .map(|_| blobs.clone())
        .map(|blobs| {
            tokio::spawn(async move {
                store_blob(&blobs, &pseudo_random_bytes(300_000))
                    .await
                    .unwrap()
            })
        })
        .collect();
    for upload in uploads {
        assert_eq!(
            upload.await.unwrap().id,
            sha256(&pseudo_random_bytes(300_000))
        );
    }
    assert_eq!(files_below(folder.path()), 1);
}

#[tokio::test]
async fn stored_blobs_are_listed_sorted_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::new(folder.path().to_owned(), u64::MAX);
    let mut expected = Vec::new();
    for n in 0u8..40 {
        expected.push(store_blob(&blobs, &[n]).await.unwrap().id);
    }
    expected.sort();
    let mut listed: Vec<BlobId> = Vec::new();
    loop {
        let page = blobs.list(&main_vault(), listed.last(), 7).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 7);
        listed.extend(page);
    }
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn flushed_upload_is_on_disk_without_buffer() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::new(folder.path().to_owned(), u64::MAX);
    let mut upload = blobs.begin(&main_vault()).await.unwrap();
    upload.write(Bytes::from_static(b"ab")).await.unwrap();
    assert_eq!(files_below(folder.path()), 0);
    upload.flush().await.unwrap();
    assert!(!upload.is_buffering());
    assert_eq!(files_below(folder.path()), 1);
    upload.write(Bytes::from_static(b"c")).await.unwrap();
    assert_eq!(upload.finish().await.unwrap().blob.id, sha256(b"abc"));
}

#[tokio::test]
async fn content_shortened_after_opening_ends_with_error() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::new(folder.path().to_owned(), u64::MAX);
    let blob = store_blob(&blobs, b"abc").await.unwrap();
    let content = blobs.open(&main_vault(), &blob, 0..3).await.unwrap();
    let path = blobs.path(&main_vault(), &blob.id);
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(2)
        .unwrap();
    let read = content.try_collect::<Vec<_>>().await;
    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn missing_descriptors_differ_from_a_broken_disk() {
    for errno in [23, 24] {
        let error = failed(io::Error::from_raw_os_error(errno));
        assert!(matches!(error, VaultError::TooManyOpenFiles), "{errno}");
    }
    assert!(matches!(
        failed(io::Error::from_raw_os_error(5)),
        VaultError::Io(_)
    ));
}
