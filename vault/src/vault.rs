//! The service: each verb takes the permit that allows it. One per process, cheap to clone.
//!
//! This module checks permits; `vault/core.rs` does the work.

mod collect;
mod core;
#[cfg(test)]
mod tests;

use core::{UploadedOperation, VaultCore};
use std::{ops::Range, path::PathBuf};

use auth::{Clock, Permit, SecureRandom};

pub use core::ensure_main_vault;

use crate::{
    Blob, BlobId, BlobStore, BlobUpload, ContentStream, Event, File, FileId, Filename, Operation,
    Realm, Revision, UserText, VaultError, VaultName, VaultStore,
    action::{
        Add, Cancel, CheckIn, CheckOut, CreateVault, Delete, Describe, Move, Override, Read,
        Restore,
    },
    blob::UploadedBlob,
    store::{
        AfterCheckIn, AfterOverride, FileQuery, FolderEntry, FolderQuery, IdempotencyKey,
        UnchangedContent,
    },
};

/// Content that is durable but belongs to no revision yet.
#[derive(Debug)]
pub struct StoredContent(pub(crate) UploadedBlob);

impl StoredContent {
    #[must_use]
    pub fn id(&self) -> &BlobId {
        &self.0.blob.id
    }
}

/// Whether an upload may repeat a request that was carried out already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precheck {
    /// It carries no key: a request that would be refused is refused before the upload.
    Run,
    /// It carries a key, so it may repeat a request and get the first response again: it is checked
    /// only in the transaction.
    SkipForRetry,
}

/// A revision to record.
#[derive(Debug)]
pub struct RevisionUpload {
    pub content: StoredContent,
    pub comment: UserText,
    pub then: AfterCheckIn,
    /// RFC 9110 §13.1.1 `If-Match`: the content that it is based on.
    pub base: Option<BlobId>,
    pub unchanged: UnchangedContent,
}

#[derive(Clone, Debug)]
pub struct Vault<S, B> {
    core: VaultCore<S, B>,
}

type OptionalKey = Option<IdempotencyKey>;

impl<S: VaultStore, B: BlobStore> Vault<S, B> {
    /// `repositories` is the folder of the bare repositories. Creates the vault `main` if there is
    /// none, and starts to derive git on a thread of its own, from the last recorded state.
    pub async fn open(
        store: S,
        blobs: B,
        repositories: PathBuf,
        clock: Clock,
        rng: SecureRandom,
    ) -> Result<Self, VaultError> {
        Ok(Self {
            core: VaultCore::open(store, blobs, repositories, clock, rng).await?,
        })
    }

    pub async fn create_vault(
        &self,
        permit: &Permit<CreateVault>,
        name: VaultName,
    ) -> Result<Realm, VaultError> {
        self.core.create_vault(permit.actor(), name).await
    }

    // -- reading
    pub async fn file(&self, permit: &Permit<Read>, name: &Filename) -> Result<File, VaultError> {
        self.core.file(permit.realm(), name).await
    }
    pub async fn files(
        &self,
        permit: &Permit<Read>,
        query: FileQuery,
    ) -> Result<Vec<File>, VaultError> {
        Ok(self.core.store.files(&permit.realm().id, query).await?)
    }
    /// Files that can be restored, last deleted first. A file whose name is in use again is not
    /// listed.
    pub async fn deleted(
        &self,
        permit: &Permit<Read>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<File>, VaultError> {
        Ok(self
            .core
            .store
            .deleted(&permit.realm().id, before, limit)
            .await?)
    }
    pub async fn folder(
        &self,
        permit: &Permit<Read>,
        query: FolderQuery,
    ) -> Result<Vec<FolderEntry>, VaultError> {
        Ok(self.core.store.folder(&permit.realm().id, query).await?)
    }
    /// Newest first. A deleted file's history remains until its name is used again.
    pub async fn history(
        &self,
        permit: &Permit<Read>,
        name: &Filename,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Revision>, VaultError> {
        let file = self.core.file_or_deleted(permit.realm(), name).await?;
        Ok(self
            .core
            .store
            .history(&permit.realm().id, &file.id, before, limit)
            .await?)
    }
    pub async fn changes(
        &self,
        permit: &Permit<Read>,
        since: i64,
        limit: u32,
    ) -> Result<Vec<Revision>, VaultError> {
        Ok(self
            .core
            .store
            .changes(&permit.realm().id, since, limit)
            .await?)
    }
    /// The file's content, or that of one of its revisions, also of a deleted file.
    pub async fn content(
        &self,
        permit: &Permit<Read>,
        name: &Filename,
        revision: Option<i64>,
    ) -> Result<Blob, VaultError> {
        self.core.content(permit.realm(), name, revision).await
    }
    /// Streams a part of content that [`content`](Self::content) returned.
    pub async fn open_content(
        &self,
        permit: &Permit<Read>,
        blob: &Blob,
        range: Range<u64>,
    ) -> Result<ContentStream, VaultError> {
        self.core.open_content(permit.realm(), blob, range).await
    }
    pub async fn events(
        &self,
        permit: &Permit<Read>,
        since: i64,
        limit: u32,
    ) -> Result<Vec<Event>, VaultError> {
        Ok(self
            .core
            .store
            .events(&permit.realm().id, since, limit)
            .await?)
    }

    // -- uploads: checks first whether the request would be accepted, so that no client uploads 10
    // GB to be refused. With a key it does not, because a repeated request gets its earlier
    // response
    pub async fn start_upload_new(
        &self,
        permit: &Permit<Add>,
        name: &Filename,
        attempt: Precheck,
    ) -> Result<B::Upload, VaultError> {
        self.core
            .start_upload_new(permit.realm(), name, attempt)
            .await
    }
    pub async fn start_upload_revision(
        &self,
        permit: &Permit<CheckIn>,
        name: &Filename,
        attempt: Precheck,
    ) -> Result<B::Upload, VaultError> {
        self.core
            .start_upload_revision(permit.into(), name, attempt)
            .await
    }
    pub async fn finish_upload(&self, upload: B::Upload) -> Result<StoredContent, VaultError> {
        upload.finish().await.map(StoredContent)
    }

    // -- changes; each is durable when it returns, with its git commit if it has one
    #[expect(
        clippy::too_many_arguments,
        reason = "a permit, a name and a key are common to all verbs"
    )]
    pub async fn add(
        &self,
        permit: &Permit<Add>,
        name: &Filename,
        content: StoredContent,
        comment: UserText,
        key: OptionalKey,
    ) -> Result<File, VaultError> {
        let StoredContent(UploadedBlob { blob, pin }) = content;
        let id = FileId::random(&self.core.rng);
        let operation = Operation::Add { id, blob, comment };
        self.core
            .apply(
                permit.into(),
                name,
                UploadedOperation::with(operation, pin),
                key,
            )
            .await
    }
    pub async fn check_out(
        &self,
        permit: &Permit<CheckOut>,
        name: &Filename,
        note: Option<UserText>,
        key: OptionalKey,
    ) -> Result<File, VaultError> {
        self.core
            .apply(permit.into(), name, Operation::CheckOut { note }, key)
            .await
    }
    pub async fn cancel(
        &self,
        permit: &Permit<Cancel>,
        name: &Filename,
        key: OptionalKey,
    ) -> Result<File, VaultError> {
        self.core
            .apply(permit.into(), name, Operation::Cancel, key)
            .await
    }
    pub async fn check_in(
        &self,
        permit: &Permit<CheckIn>,
        name: &Filename,
        new: RevisionUpload,
        key: OptionalKey,
    ) -> Result<File, VaultError> {
        let RevisionUpload {
            content: StoredContent(UploadedBlob { blob, pin }),
            comment,
            then,
            base,
            unchanged,
        } = new;
        let operation = Operation::CheckIn {
            blob,
            comment,
            then,
            base,
            unchanged,
        };
        self.core
            .apply(
                permit.into(),
                name,
                UploadedOperation::with(operation, pin),
                key,
            )
            .await
    }
    #[expect(
        clippy::too_many_arguments,
        reason = "a permit, a name and a key are common to all verbs"
    )]
    pub async fn override_lock(
        &self,
        permit: &Permit<Override>,
        name: &Filename,
        reason: UserText,
        then: AfterOverride,
        key: OptionalKey,
    ) -> Result<File, VaultError> {
        self.core
            .apply(
                permit.into(),
                name,
                Operation::Override { reason, then },
                key,
            )
            .await
    }
    pub async fn describe(
        &self,
        permit: &Permit<Describe>,
        name: &Filename,
        description: Option<UserText>,
        key: OptionalKey,
    ) -> Result<File, VaultError> {
        self.core
            .apply(
                permit.into(),
                name,
                Operation::Describe { description },
                key,
            )
            .await
    }
    pub async fn move_to(
        &self,
        permit: &Permit<Move>,
        name: &Filename,
        to: Filename,
        key: OptionalKey,
    ) -> Result<File, VaultError> {
        self.core
            .apply(permit.into(), name, Operation::Move { to }, key)
            .await
    }
    pub async fn restore(
        &self,
        permit: &Permit<Restore>,
        name: &Filename,
        revision: i64,
        key: OptionalKey,
    ) -> Result<File, VaultError> {
        self.core.restore(permit.into(), name, revision, key).await
    }
    pub async fn delete(
        &self,
        permit: &Permit<Delete>,
        name: &Filename,
        comment: UserText,
        key: OptionalKey,
    ) -> Result<(), VaultError> {
        self.core
            .apply(permit.into(), name, Operation::Delete { comment }, key)
            .await
            .map(drop)
    }

    /// Removes the content of uploads that were refused over a day ago; returns how many. Content
    /// that a row names, or that an upload may still name, stays.
    ///
    /// # Errors
    /// The database or the disk does not answer. The rest is collected the next time.
    pub async fn collect_refused_uploads(&self) -> Result<u64, VaultError> {
        self.core.collect_refused_uploads().await
    }

    /// Waits until git contains all answered changes, durable and recorded, and stops deriving. For
    /// shutdown, after the last request.
    pub async fn close(&self) {
        self.core.deriver.close().await;
    }

    /// Sends the id of a vault after each recorded event: the live hub then reads the events.
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<crate::VaultId> {
        self.core.recorded.subscribe()
    }

    /// Sends the name of a user whose lock another user has broken.
    pub fn subscribe_overridden(&self) -> tokio::sync::broadcast::Receiver<auth::Username> {
        self.core.overridden.subscribe()
    }
}
