//! The common part of every verb of the [service](super), after the check of the permit. It takes
//! no permits, so nothing here may be public outside the crate.

use std::{ops::Range, path::PathBuf};

use auth::{
    Action, Actor, Clock, Permit, SecureRandom, StoreUnavailable, Username,
    access::permit::RealmTarget,
};
use futures_util::StreamExt as _;
use tokio::sync::broadcast;

use super::Precheck;
use crate::{
    Blob, BlobStore, Command, ContentStream, File, Filename, Operation, Outcome, Realm, Revision,
    VaultError, VaultId, VaultName, VaultStore,
    blob::Pin,
    git::{derive::Deriver, repository::path_of},
    store::IdempotencyKey,
};

/// Notifications that a slow receiver may lag behind; it reads the events anyway.
const CHANNEL_CAPACITY: usize = 1024;

#[derive(Clone, Debug)]
pub(crate) struct VaultCore<S, B> {
    pub(crate) store: S,
    pub(crate) blobs: B,
    pub(crate) clock: Clock,
    pub(crate) rng: SecureRandom,
    pub(crate) deriver: Deriver<S>,
    pub(crate) recorded: broadcast::Sender<VaultId>,
    pub(crate) overridden: broadcast::Sender<Username>,
}

/// Creates the vault `main` if there is no vault yet. Needs no repository; the next server that
/// opens the vault creates it.
///
/// # Errors
/// The database does not answer.
pub async fn ensure_main_vault<S: VaultStore>(
    store: &S,
    clock: &Clock,
    rng: &SecureRandom,
) -> Result<(), VaultError> {
    if !store.vaults().await?.is_empty() {
        return Ok(());
    }
    let unparsable = |_| StoreUnavailable::from_source("the name of the first vault is invalid");
    let name = VaultName::parse("main").map_err(unparsable)?;
    let username = Username::parse("strongroom")
        .map_err(|_| StoreUnavailable::from_source("the actor of the first vault is invalid"))?;
    let operator = Actor::new(username);
    match store
        .create_vault(
            Realm {
                id: VaultId::random(rng),
                name,
            },
            operator,
            clock.now(),
        )
        .await
    {
        // Another node created it first.
        Err(VaultError::VaultExists { .. }) => Ok(()),
        made => made,
    }
}

/// The facts that a permit proves: the actor and the vault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) vault: &'a Realm,
    pub(crate) actor: &'a Actor,
}

impl<'a, A: Action<Target = RealmTarget>> From<&'a Permit<A>> for Context<'a> {
    fn from(permit: &'a Permit<A>) -> Self {
        Self {
            vault: permit.realm(),
            actor: permit.actor(),
        }
    }
}

/// An operation, with the claim on the content that it names.
#[derive(Debug)]
pub(crate) struct UploadedOperation {
    operation: Operation,
    content: Option<Pin>,
}

impl UploadedOperation {
    pub(crate) fn with(operation: Operation, content: Pin) -> Self {
        Self {
            operation,
            content: Some(content),
        }
    }
}

impl From<Operation> for UploadedOperation {
    fn from(operation: Operation) -> Self {
        Self {
            operation,
            content: None,
        }
    }
}

impl<S: VaultStore, B: BlobStore> VaultCore<S, B> {
    pub(crate) async fn open(
        store: S,
        blobs: B,
        repositories: PathBuf,
        clock: Clock,
        rng: SecureRandom,
    ) -> Result<Self, VaultError> {
        std::fs::create_dir_all(&repositories).map_err(VaultError::Io)?;
        let deriver = Deriver::start(store.clone(), repositories.clone())?;
        let core = Self {
            store,
            blobs,
            clock,
            rng,
            deriver,
            recorded: broadcast::Sender::new(CHANNEL_CAPACITY),
            overridden: broadcast::Sender::new(CHANNEL_CAPACITY),
        };
        ensure_main_vault(&core.store, &core.clock, &core.rng).await?;
        for vault in core.store.vaults().await? {
            if path_of(&repositories, &vault.name).exists() {
                core.deriver.begin(&vault);
            } else {
                core.deriver.derived(&vault, 0).await;
            }
        }
        Ok(core)
    }

    pub(crate) async fn create_vault(
        &self,
        by: &Actor,
        name: VaultName,
    ) -> Result<Realm, VaultError> {
        let vault = Realm {
            id: VaultId::random(&self.rng),
            name,
        };
        self.store
            .create_vault(vault.clone(), by.clone(), self.clock.now())
            .await?;
        self.deriver.derived(&vault, 0).await;
        Ok(vault)
    }

    pub(crate) async fn file(&self, vault: &Realm, name: &Filename) -> Result<File, VaultError> {
        self.store
            .file(&vault.id, name)
            .await?
            .ok_or(VaultError::NotFound)
    }

    pub(crate) async fn file_or_deleted(
        &self,
        vault: &Realm,
        name: &Filename,
    ) -> Result<File, VaultError> {
        self.store
            .file_or_deleted(&vault.id, name)
            .await?
            .ok_or(VaultError::NotFound)
    }

    pub(crate) async fn content(
        &self,
        vault: &Realm,
        name: &Filename,
        revision: Option<i64>,
    ) -> Result<Blob, VaultError> {
        match revision {
            None => Ok(self.file(vault, name).await?.blob),
            Some(revision) => Ok(self.content_at(vault, name, revision).await?.1),
        }
    }

    /// The file, deleted or not, and its content at `revision`.
    async fn content_at(
        &self,
        vault: &Realm,
        name: &Filename,
        revision: i64,
    ) -> Result<(File, Blob), VaultError> {
        let file = self.file_or_deleted(vault, name).await?;
        let found = self.store.revision(&vault.id, &file.id, revision).await?;
        let blob = found
            .and_then(|Revision { blob, .. }| blob)
            .ok_or(VaultError::NoSuchRevision { revision })?;
        Ok((file, blob))
    }

    pub(crate) async fn open_content(
        &self,
        vault: &Realm,
        blob: &Blob,
        range: Range<u64>,
    ) -> Result<ContentStream, VaultError> {
        Ok(self.blobs.open(&vault.name, blob, range).await?.boxed())
    }

    pub(crate) async fn start_upload_new(
        &self,
        vault: &Realm,
        name: &Filename,
        attempt: Precheck,
    ) -> Result<B::Upload, VaultError> {
        if attempt == Precheck::Run
            && let Some(file) = self.store.file(&vault.id, name).await?
        {
            return Err(VaultError::Exists { name: file.name });
        }
        self.blobs.begin(&vault.name).await
    }

    pub(crate) async fn start_upload_revision(
        &self,
        by: Context<'_>,
        name: &Filename,
        attempt: Precheck,
    ) -> Result<B::Upload, VaultError> {
        if attempt == Precheck::Run {
            match self.file(by.vault, name).await?.lock {
                None => return Err(VaultError::NotCheckedOut),
                Some(lock) if lock.holder != by.actor.username => {
                    return Err(VaultError::NotLockHolder {
                        holder: lock.holder,
                    });
                }
                Some(_) => {}
            }
        }
        self.blobs.begin(&by.vault.name).await
    }

    pub(crate) async fn restore(
        &self,
        by: Context<'_>,
        name: &Filename,
        revision: i64,
        key: Option<IdempotencyKey>,
    ) -> Result<File, VaultError> {
        let (file, blob) = self.content_at(by.vault, name, revision).await?;
        self.apply(
            by,
            name,
            Operation::Restore {
                file: file.id,
                revision,
                blob,
            },
            key,
        )
        .await
    }

    /// Runs one command: records it, notifies subscribers, derives git.
    pub(crate) async fn apply(
        &self,
        by: Context<'_>,
        name: &Filename,
        change: impl Into<UploadedOperation>,
        key: Option<IdempotencyKey>,
    ) -> Result<File, VaultError> {
        let UploadedOperation { operation, content } = change.into();
        let command = Command {
            vault: by.vault.id.clone(),
            file: name.clone(),
            operation,
            by: by.actor.clone(),
            at: self.clock.now(),
            key,
        };
        // A task of its own: if the caller disconnects, subscribers are notified all the same.
        let (core, vault) = (self.clone(), by.vault.clone());
        let done = tokio::spawn(async move { core.execute(&vault, command, content).await });
        Ok(done.await.map_err(StoreUnavailable::from_source)??.file)
    }

    /// Holds `content` until the transaction has ended.
    async fn execute(
        &self,
        vault: &Realm,
        command: Command,
        content: Option<Pin>,
    ) -> Result<Outcome, VaultError> {
        let outcome = self.store.apply(command).await?;
        tokio::join!(self.record_named(content), self.publish(vault, &outcome));
        Ok(outcome)
    }

    async fn record_named(&self, content: Option<Pin>) {
        if let Some(content) = content
            && let Err(error) = self.blobs.named(content).await
        {
            // The row decides: collecting looks it up.
            tracing::warn!(%error, "the marker of named content was not removed");
        }
    }

    async fn publish(&self, vault: &Realm, outcome: &Outcome) {
        if !outcome.replayed {
            // There may be no subscriber.
            let _ = self.recorded.send(vault.id.clone());
        }
        if let Some(holder) = outcome.overridden.clone() {
            let _ = self.overridden.send(holder);
        }
        if let Some(change) = outcome.change {
            self.deriver.derived(vault, change).await;
        }
    }
}
