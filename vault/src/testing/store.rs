use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use auth::{Actor, StoreUnavailable};
use jiff::Timestamp;

use super::rows::VaultRows;
use crate::{
    Blob, BlobId, Command, Event, File, FileId, Filename, Outcome, Realm, Revision, VaultError,
    VaultId, VaultName, VaultStore,
    store::{DerivedCommit, FileQuery, FolderEntry, FolderQuery, Heads, StoreResult},
};

#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryStore(Arc<Mutex<Rows>>);

#[derive(Debug, Default)]
pub(crate) struct Rows {
    vaults: BTreeMap<String, VaultRows>,
    /// Every call fails while this is set.
    pub(crate) failing: bool,
}

impl MemoryStore {
    pub(crate) fn with_vault(realm: &Realm) -> Self {
        let store = Self::default();
        store.insert(realm.clone());
        store
    }

    fn insert(&self, realm: Realm) {
        let id = realm.id.as_str().to_owned();
        let rows = VaultRows {
            realm,
            files: Vec::new(),
            revisions: Vec::new(),
            events: Vec::new(),
            commits: Vec::new(),
            keys: Vec::new(),
        };
        self.lock().vaults.insert(id, rows);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap()
    }

    fn read<T>(&self, vault: &VaultId, read: impl FnOnce(&mut VaultRows) -> T) -> StoreResult<T> {
        let mut rows = self.lock();
        if rows.failing {
            return Err(StoreUnavailable::from_source("the store is down"));
        }
        rows.vaults
            .get_mut(vault.as_str())
            .map(read)
            .ok_or_else(|| StoreUnavailable::from_source("no such vault"))
    }

    /// Edits the rows directly, to simulate a damaged disk or a faulty program.
    pub(crate) fn tamper(&self, vault: &VaultId, change: impl FnOnce(&mut VaultRows)) {
        change(self.lock().vaults.get_mut(vault.as_str()).unwrap());
    }
}

impl VaultStore for MemoryStore {
    async fn vaults(&self) -> StoreResult<Vec<Realm>> {
        Ok(self
            .lock()
            .vaults
            .values()
            .map(|rows| rows.realm.clone())
            .collect())
    }

    async fn create_vault(
        &self,
        vault: Realm,
        _by: Actor,
        _at: Timestamp,
    ) -> Result<(), VaultError> {
        if self.vault(&vault.name).await?.is_some() {
            return Err(VaultError::VaultExists { name: vault.name });
        }
        self.insert(vault);
        Ok(())
    }

    async fn file(&self, vault: &VaultId, name: &Filename) -> StoreResult<Option<File>> {
        self.read(vault, |rows| rows.live(name).cloned())
    }

    async fn file_or_deleted(&self, vault: &VaultId, name: &Filename) -> StoreResult<Option<File>> {
        self.read(vault, |rows| {
            rows.live(name).or_else(|| rows.deleted(name)).cloned()
        })
    }

    async fn deleted(
        &self,
        vault: &VaultId,
        before: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<File>> {
        self.read(vault, |rows| {
            let is_last = |file: &&File| {
                rows.live(&file.name).is_none()
                    && rows
                        .deleted(&file.name)
                        .is_some_and(|last| last.id == file.id)
            };
            let gone = rows
                .files
                .iter()
                .filter(|file| file.deleted)
                .filter(is_last);
            let mut gone: Vec<_> = gone
                .filter(|file| before.is_none_or(|before| file.change < before))
                .cloned()
                .collect();
            gone.sort_by_key(|file| std::cmp::Reverse(file.change));
            gone.truncate(limit as usize);
            gone
        })
    }

    async fn files(&self, vault: &VaultId, query: FileQuery) -> StoreResult<Vec<File>> {
        self.read(vault, |rows| {
            let mut files: Vec<_> = rows
                .files
                .iter()
                .filter(|file| !file.deleted)
                .cloned()
                .collect();
            files.retain(|file| {
                query
                    .after
                    .as_ref()
                    .is_none_or(|after| file.name.key() > after.name)
            });
            files.sort_by_key(|file| file.name.key());
            files.truncate(query.limit as usize);
            files
        })
    }

    async fn folder(&self, vault: &VaultId, query: FolderQuery) -> StoreResult<Vec<FolderEntry>> {
        self.read(vault, |rows| {
            let inside = |file: &&File| !file.deleted && file.name.folder() == query.folder;
            rows.files
                .iter()
                .filter(inside)
                .map(|file| FolderEntry::File(Box::new(file.clone())))
                .collect()
        })
    }

    async fn history(
        &self,
        vault: &VaultId,
        file: &FileId,
        before: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<Revision>> {
        self.read(vault, |rows| {
            let wanted = |row: &&Revision| {
                row.file == *file && before.is_none_or(|before| row.revision < before)
            };
            rows.revisions
                .iter()
                .rev()
                .filter(wanted)
                .take(limit as usize)
                .cloned()
                .collect()
        })
    }

    async fn revision(
        &self,
        vault: &VaultId,
        file: &FileId,
        revision: i64,
    ) -> StoreResult<Option<Revision>> {
        self.read(vault, |rows| {
            rows.revisions
                .iter()
                .find(|row| row.file == *file && row.revision == revision)
                .cloned()
        })
    }

    async fn changes(&self, vault: &VaultId, since: i64, limit: u32) -> StoreResult<Vec<Revision>> {
        self.read(vault, |rows| {
            let since = usize::try_from(since).unwrap();
            rows.revisions
                .iter()
                .skip(since)
                .take(limit as usize)
                .cloned()
                .collect()
        })
    }

    async fn apply(&self, command: Command) -> Result<Outcome, VaultError> {
        self.read(&command.vault, |rows| rows.apply(&command))?
    }

    async fn events(&self, vault: &VaultId, since: i64, limit: u32) -> StoreResult<Vec<Event>> {
        self.read(vault, |rows| {
            rows.events
                .iter()
                .filter(|event| event.id > since)
                .take(limit as usize)
                .cloned()
                .collect()
        })
    }

    async fn heads(&self, vault: &VaultId) -> StoreResult<Heads> {
        self.read(vault, |rows| Heads {
            change: i64::try_from(rows.revisions.len()).unwrap(),
            event: i64::try_from(rows.events.len()).unwrap(),
        })
    }

    async fn derived(&self, vault: &VaultId) -> StoreResult<Option<DerivedCommit>> {
        self.read(vault, |rows| {
            rows.commits
                .iter()
                .max_by_key(|commit| commit.change)
                .cloned()
        })
    }

    async fn record_derived(
        &self,
        vault: &VaultId,
        commits: Vec<DerivedCommit>,
    ) -> StoreResult<()> {
        self.read(vault, |rows| {
            rows.commits
                .retain(|known| commits.iter().all(|new| new.change != known.change));
            rows.commits.extend(commits);
        })
    }

    async fn blobs(
        &self,
        vault: &VaultId,
        after: Option<&BlobId>,
        limit: u32,
    ) -> StoreResult<Vec<Blob>> {
        self.read(vault, |rows| {
            let blobs: BTreeMap<_, _> = rows
                .revisions
                .iter()
                .filter_map(|row| row.blob.clone())
                .map(|blob| (blob.id.clone(), blob))
                .collect();
            let later = |blob: &Blob| after.is_none_or(|after| blob.id > *after);
            blobs
                .into_values()
                .filter(later)
                .take(limit as usize)
                .collect()
        })
    }

    async fn has_blob(&self, vault: &VaultId, id: &BlobId) -> StoreResult<bool> {
        self.read(vault, |rows| {
            let mut blobs = rows.revisions.iter().filter_map(|row| row.blob.as_ref());
            blobs.any(|blob| blob.id == *id)
        })
    }

    async fn purge_idempotency_keys(&self, _before: Timestamp) -> StoreResult<u64> {
        Ok(0)
    }

    async fn vault(&self, name: &VaultName) -> StoreResult<Option<Realm>> {
        Ok(self
            .vaults()
            .await?
            .into_iter()
            .find(|vault| vault.name == *name))
    }
}
