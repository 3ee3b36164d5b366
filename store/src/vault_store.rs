//! [`VaultStore`](vault::VaultStore) on both databases: one transaction a method. The SQL is in the
//! modules named after their subjects.

use auth::{Actor, Realm};
use jiff::Timestamp;
use vault::{
    Blob, BlobId, Command, Event, File, FileId, Filename, Outcome, Revision, VaultError, VaultId,
    VaultName, VaultStore,
    store::{DerivedCommit, FileQuery, FolderEntry, FolderQuery, Heads, StoreResult},
};

use crate::{
    Store,
    apply::apply,
    files, history, listing, roles,
    transaction::{read_tx, write_tx},
    vaults,
};

impl VaultStore for Store {
    async fn vaults(&self) -> StoreResult<Vec<Realm>> {
        self.read((), |db, ()| {
            Box::pin(async move { Ok(roles::realms(db).await?) })
        })
        .await
    }

    async fn create_vault(&self, vault: Realm, by: Actor, at: Timestamp) -> Result<(), VaultError> {
        self.write(vaults::Create { vault, by, at }, |db, create| {
            Box::pin(vaults::create(db, create))
        })
        .await
    }

    async fn file(&self, vault: &VaultId, name: &Filename) -> StoreResult<Option<File>> {
        read_tx!(self, (vault.clone(), name.clone()), files::find)
    }

    async fn file_or_deleted(&self, vault: &VaultId, name: &Filename) -> StoreResult<Option<File>> {
        read_tx!(self, (vault.clone(), name.clone()), files::find_or_deleted)
    }

    async fn files(&self, vault: &VaultId, query: FileQuery) -> StoreResult<Vec<File>> {
        read_tx!(self, (vault.clone(), query), listing::files)
    }

    async fn deleted(
        &self,
        vault: &VaultId,
        before: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<File>> {
        read_tx!(
            self,
            listing::Deleted {
                vault: vault.clone(),
                before,
                limit
            },
            listing::deleted
        )
    }

    async fn folder(&self, vault: &VaultId, query: FolderQuery) -> StoreResult<Vec<FolderEntry>> {
        read_tx!(self, (vault.clone(), query), listing::folder)
    }

    async fn history(
        &self,
        vault: &VaultId,
        file: &FileId,
        before: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<Revision>> {
        let page = history::HistoryPage {
            vault: vault.clone(),
            file: file.clone(),
            before,
            limit,
        };
        read_tx!(self, page, history::of_file)
    }

    async fn revision(
        &self,
        vault: &VaultId,
        file: &FileId,
        revision: i64,
    ) -> StoreResult<Option<Revision>> {
        read_tx!(
            self,
            (vault.clone(), file.clone(), revision),
            history::revision
        )
    }

    async fn changes(&self, vault: &VaultId, since: i64, limit: u32) -> StoreResult<Vec<Revision>> {
        read_tx!(
            self,
            history::Since {
                vault: vault.clone(),
                after: since,
                limit
            },
            history::changes
        )
    }

    async fn apply(&self, command: Command) -> Result<Outcome, VaultError> {
        self.write(command, |db, command| Box::pin(apply(db, command)))
            .await
    }

    async fn events(&self, vault: &VaultId, since: i64, limit: u32) -> StoreResult<Vec<Event>> {
        read_tx!(
            self,
            history::Since {
                vault: vault.clone(),
                after: since,
                limit
            },
            history::events
        )
    }

    async fn heads(&self, vault: &VaultId) -> StoreResult<Heads> {
        read_tx!(self, vault.clone(), vaults::heads)
    }

    async fn derived(&self, vault: &VaultId) -> StoreResult<Option<DerivedCommit>> {
        read_tx!(self, vault.clone(), vaults::derived)
    }

    async fn record_derived(
        &self,
        vault: &VaultId,
        commits: Vec<DerivedCommit>,
    ) -> StoreResult<()> {
        write_tx!(self, (vault.clone(), commits), vaults::record_derived)
    }

    async fn blobs(
        &self,
        vault: &VaultId,
        after: Option<&BlobId>,
        limit: u32,
    ) -> StoreResult<Vec<Blob>> {
        read_tx!(
            self,
            vaults::BlobPage {
                vault: vault.clone(),
                after: after.cloned(),
                limit
            },
            vaults::blobs
        )
    }

    async fn has_blob(&self, vault: &VaultId, id: &BlobId) -> StoreResult<bool> {
        read_tx!(self, (vault.clone(), id.clone()), vaults::has_blob)
    }

    async fn purge_idempotency_keys(&self, before: Timestamp) -> StoreResult<u64> {
        write_tx!(self, before, vaults::purge_idempotency_keys)
    }

    async fn vault(&self, name: &VaultName) -> StoreResult<Option<Realm>> {
        read_tx!(self, name.clone(), vaults::by_name)
    }
}
