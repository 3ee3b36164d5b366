//! The vault with an in-memory store and a data folder.

mod content;
mod operations;

use auth::SecureRandom;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use tempfile::TempDir;

use super::{
    core::{Context, VaultCore},
    *,
};
use crate::{
    LocalBlobs,
    testing::{MemoryStore, actor, clock, git, text},
};

/// A service with a vault `main`, and its data folder.
struct Fixture {
    data: TempDir,
    store: MemoryStore,
    core: VaultCore<MemoryStore, LocalBlobs>,
    vault: Realm,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(MemoryStore::default(), tempfile::tempdir().unwrap()).await
    }

    async fn with(store: MemoryStore, data: TempDir) -> Self {
        let blobs = LocalBlobs::new(data.path().to_owned(), 100_000_000);
        let core = VaultCore::open(
            store.clone(),
            blobs,
            data.path().to_owned(),
            clock(),
            SecureRandom::system(),
        )
        .await
        .unwrap();
        let vault = store.vaults().await.unwrap().remove(0);
        Self {
            data,
            store,
            core,
            vault,
        }
    }

    /// Stops it as `strongroom serve` stops, and starts it again.
    async fn again(self) -> Self {
        self.core.deriver.close().await;
        Self::with(self.store, self.data).await
    }

    async fn does(&self, name: &str, file: &str, operation: Operation) -> Result<File, VaultError> {
        let by = Context {
            vault: &self.vault,
            actor: &actor(name),
        };
        self.core
            .apply(by, &Filename::parse(file).unwrap(), operation, None)
            .await
    }

    async fn blob(&self, bytes: &[u8]) -> Blob {
        let mut upload = self.core.blobs.begin(&self.vault.name).await.unwrap();
        upload.write(Bytes::copy_from_slice(bytes)).await.unwrap();
        upload.finish().await.unwrap().blob
    }

    async fn add(&self, name: &str, file: &str, bytes: &[u8]) -> Result<File, VaultError> {
        let id = FileId::random(&self.core.rng);
        let operation = Operation::Add {
            id,
            blob: self.blob(bytes).await,
            comment: text(""),
        };
        self.does(name, file, operation).await
    }

    async fn check_in(&self, name: &str, file: &str, bytes: &[u8]) -> Result<File, VaultError> {
        let blob = self.blob(bytes).await;
        let then = AfterCheckIn::Release;
        self.does(
            name,
            file,
            Operation::CheckIn {
                blob,
                comment: text("Second cut"),
                then,
                base: None,
                unchanged: UnchangedContent::Accept,
            },
        )
        .await
    }

    async fn read(&self, file: &str, revision: Option<i64>) -> Result<Vec<u8>, VaultError> {
        let blob = self
            .core
            .content(&self.vault, &Filename::parse(file).unwrap(), revision)
            .await?;
        let content = self
            .core
            .open_content(&self.vault, &blob, 0..blob.size)
            .await?;
        Ok(content.try_collect::<Vec<_>>().await.unwrap().concat())
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.data.path().join("main.git"), arguments)
    }
}
