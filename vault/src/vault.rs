//! The service: each verb takes the permit that allows it. One per process, cheap to clone.

use std::{ops::Range, path::PathBuf};

use auth::{Chance, Clock, Permit};
use tokio::io::AsyncRead;

use crate::{
    Blob, BlobId, BlobStore, Event, File, Filename, Prose, Realm, Revision, VaultError, VaultName, VaultStore,
    action::{Add, Cancel, CheckIn, CheckOut, CreateVault, Delete, Describe, Move, Override, Read, Restore},
    store::{AfterCheckIn, AfterOverride, Entry, FileQuery, IdempotencyKey},
};

/// Content that is durable but belongs to no revision yet.
#[derive(Debug)]
pub struct Received(pub(crate) Blob);

/// A new revision about to be recorded.
#[derive(Debug)]
pub struct NewRevision {
    pub content: Received,
    pub comment: Prose,
    pub then: AfterCheckIn,
    /// RFC 9110 §13.1.1 `If-Match`: the content it was made from.
    pub base: Option<BlobId>,
}

#[derive(Clone, Debug)]
pub struct Vault<S, B> {
    store: S,
    blobs: B,
    clock: Clock,
    chance: Chance,
}

type Key = Option<IdempotencyKey>;

impl<S: VaultStore, B: BlobStore> Vault<S, B> {
    /// `repositories` is the folder of the bare repositories. Makes the vault `main` if there is none, and starts
    /// deriving git on a thread of its own, from wherever it had come to.
    pub async fn open(
        store: S,
        blobs: B,
        repositories: PathBuf,
        clock: Clock,
        chance: Chance,
    ) -> Result<Self, VaultError> {
        todo!()
    }

    pub async fn create_vault(&self, permit: &Permit<CreateVault>, name: VaultName) -> Result<Realm, VaultError> {
        todo!()
    }

    // -- reading
    pub async fn file(&self, permit: &Permit<Read>, name: &Filename) -> Result<File, VaultError> {
        todo!()
    }
    pub async fn files(&self, permit: &Permit<Read>, query: FileQuery) -> Result<Vec<File>, VaultError> {
        todo!()
    }
    pub async fn folder(
        &self,
        permit: &Permit<Read>,
        folder: Option<&Filename>,
        after: Option<&Entry>,
        limit: u32,
    ) -> Result<Vec<Entry>, VaultError> {
        todo!()
    }
    /// Newest first. A deleted file's history is there until its name is used again.
    pub async fn history(
        &self,
        permit: &Permit<Read>,
        name: &Filename,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Revision>, VaultError> {
        todo!()
    }
    pub async fn changes(&self, permit: &Permit<Read>, since: i64, limit: u32) -> Result<Vec<Revision>, VaultError> {
        todo!()
    }
    /// The file's content, or that of one of its revisions (also of a deleted file's).
    pub async fn content(
        &self,
        permit: &Permit<Read>,
        name: &Filename,
        revision: Option<i64>,
    ) -> Result<Blob, VaultError> {
        todo!()
    }
    /// Streams a part of content that [`content`](Self::content) named.
    pub async fn open_content(
        &self,
        permit: &Permit<Read>,
        blob: &Blob,
        range: Range<u64>,
    ) -> Result<impl AsyncRead + Send + Unpin + use<S, B>, VaultError> {
        Ok(tokio::io::empty())
    }
    pub async fn events(&self, permit: &Permit<Read>, since: i64, limit: u32) -> Result<Vec<Event>, VaultError> {
        todo!()
    }

    // -- receiving content: asks first whether it would be taken, so that nobody uploads 10 GB to be refused
    pub async fn receive_new(&self, permit: &Permit<Add>, name: &Filename) -> Result<B::Upload, VaultError> {
        todo!()
    }
    pub async fn receive_revision(&self, permit: &Permit<CheckIn>, name: &Filename) -> Result<B::Upload, VaultError> {
        todo!()
    }
    pub async fn received(&self, upload: B::Upload) -> Result<Received, VaultError> {
        todo!()
    }

    // -- changing; every one durable when it returns, with its git commit where it has one
    pub async fn add(
        &self,
        permit: &Permit<Add>,
        name: &Filename,
        content: Received,
        comment: Prose,
        key: Key,
    ) -> Result<File, VaultError> {
        todo!()
    }
    pub async fn check_out(
        &self,
        permit: &Permit<CheckOut>,
        name: &Filename,
        note: Option<Prose>,
        key: Key,
    ) -> Result<File, VaultError> {
        todo!()
    }
    pub async fn cancel(&self, permit: &Permit<Cancel>, name: &Filename, key: Key) -> Result<File, VaultError> {
        todo!()
    }
    pub async fn check_in(
        &self,
        permit: &Permit<CheckIn>,
        name: &Filename,
        new: NewRevision,
        key: Key,
    ) -> Result<File, VaultError> {
        todo!()
    }
    pub async fn override_lock(
        &self,
        permit: &Permit<Override>,
        name: &Filename,
        reason: Prose,
        then: AfterOverride,
        key: Key,
    ) -> Result<File, VaultError> {
        todo!()
    }
    pub async fn describe(
        &self,
        permit: &Permit<Describe>,
        name: &Filename,
        description: Option<Prose>,
        key: Key,
    ) -> Result<File, VaultError> {
        todo!()
    }
    pub async fn move_to(
        &self,
        permit: &Permit<Move>,
        name: &Filename,
        to: Filename,
        key: Key,
    ) -> Result<File, VaultError> {
        todo!()
    }
    pub async fn restore(
        &self,
        permit: &Permit<Restore>,
        name: &Filename,
        revision: i64,
        key: Key,
    ) -> Result<File, VaultError> {
        todo!()
    }
    pub async fn delete(
        &self,
        permit: &Permit<Delete>,
        name: &Filename,
        comment: Prose,
        key: Key,
    ) -> Result<(), VaultError> {
        todo!()
    }

    /// Ticks with the id of the vault whenever something was recorded here: the live hub then reads the events.
    pub fn recorded(&self) -> tokio::sync::broadcast::Receiver<crate::VaultId> {
        todo!()
    }
}
