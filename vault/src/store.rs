//! The database interface of a vault.

use auth::{Actor, Realm, StoreUnavailable, Username};
use jiff::Timestamp;

use crate::{
    Blob, BlobId, Event, EventAction, File, FileId, Filename, NameKey, Revision, RevisionKind,
    UserText, VaultError, VaultId, VaultName,
    order::{FolderPosition, Position, Sort},
    search::Search,
};

/// A permitted command on the file of this name.
#[derive(Clone, Debug)]
pub struct Command {
    pub vault: VaultId,
    pub file: Filename,
    pub operation: Operation,
    pub by: Actor,
    pub at: Timestamp,
    pub key: Option<IdempotencyKey>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `id` is the new file's.
    Add {
        id: FileId,
        blob: Blob,
        comment: UserText,
    },
    CheckOut {
        note: Option<UserText>,
    },
    Cancel,
    /// `base`, if given, is the content that the new one is based on.
    CheckIn {
        blob: Blob,
        comment: UserText,
        then: AfterCheckIn,
        base: Option<BlobId>,
        unchanged: UnchangedContent,
    },
    Override {
        reason: UserText,
        then: AfterOverride,
    },
    Describe {
        description: Option<UserText>,
    },
    Move {
        to: Filename,
    },
    /// `file` is the one whose `revision`, with this content, becomes the newest; it may be
    /// deleted.
    Restore {
        file: FileId,
        revision: i64,
        blob: Blob,
    },
    Delete {
        comment: UserText,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterCheckIn {
    Release,
    /// Keeps the file checked out, under the same lock id + 1.
    KeepCheckedOut,
}

/// A check-in of the content that the newest revision has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnchangedContent {
    /// Becomes a revision like any other.
    #[default]
    Accept,
    /// Is refused with [`VaultError::Unchanged`], so that a page can ask first.
    Refuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterOverride {
    Release,
    /// Checks the file out to the caller who breaks the lock.
    Take,
}

/// The result of [`decide`](crate::decide::decide): the store writes all of it in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The new row. The store fills in `change` when there is a revision.
    pub file: File,
    pub revision: Option<NewRevision>,
    pub action: EventAction,
    pub moved_from: Option<Filename>,
    pub reason: Option<UserText>,
    /// The user whose lock another user has broken.
    pub overridden: Option<Username>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRevision {
    pub kind: RevisionKind,
    pub comment: UserText,
}

/// The result of a command, or of the earlier one with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub file: File,
    /// The id of the event.
    pub event: i64,
    /// The number of the change, if there is one: git is derived up to here before the response.
    pub change: Option<i64>,
    /// The user whose lock another user has broken. `None` in a replay.
    pub overridden: Option<Username>,
    /// True if nothing was done now, because the key was used before.
    pub replayed: bool,
}

/// A client's key for its request, so that a repeated request has no second effect. The store
/// scopes it to vault and user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// 1 to 255 visible ASCII characters.
    pub key: String,
    /// SHA-256 hex of method, target and (for JSON bodies) body. Another request under the same key
    /// is refused.
    pub fingerprint: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockFilter {
    Unlocked,
    Locked,
    LockedBy(Username),
    /// Locked by another user than this one.
    NotLockedBy(Username),
}

/// A filter for the files of a vault; live ones only.
#[derive(Clone, Debug, Default)]
pub struct FileQuery {
    pub prefix: Option<NameKey>,
    pub search: Option<Search>,
    pub holder: Option<LockFilter>,
    pub locked_by: Option<Username>,
    pub sort: Sort,
    pub after: Option<Position>,
    pub limit: u32,
}

/// A page of a folder: its folders by name, then its files.
#[derive(Clone, Debug, Default)]
pub struct FolderQuery {
    /// `None` is the top.
    pub folder: Option<Filename>,
    pub sort: Sort,
    pub after: Option<FolderPosition>,
    pub limit: u32,
}

/// One row of a folder's page. Folders come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderEntry {
    Folder(Filename),
    File(Box<File>),
}

/// One commit recorded as derived and durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedCommit {
    pub change: i64,
    /// Hex.
    pub sha: String,
}

/// Counts of a vault, for metrics, `verify` and followers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heads {
    /// The newest change.
    pub change: i64,
    /// The newest event.
    pub event: i64,
}

pub type StoreResult<T> = Result<T, StoreUnavailable>;

/// Implemented by the crate `store`. Reads see every write that returned before them.
pub trait VaultStore: Clone + Send + Sync + 'static {
    // vaults
    fn vaults(&self) -> impl Future<Output = StoreResult<Vec<Realm>>> + Send;
    /// Creates a vault; `by` becomes its manager. Fails with `VaultExists`, settled by the unique
    /// index.
    fn create_vault(
        &self,
        vault: Realm,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), VaultError>> + Send;

    // files
    fn file(
        &self,
        vault: &VaultId,
        name: &Filename,
    ) -> impl Future<Output = StoreResult<Option<File>>> + Send;
    /// The live file of that name, else the one deleted last.
    fn file_or_deleted(
        &self,
        vault: &VaultId,
        name: &Filename,
    ) -> impl Future<Output = StoreResult<Option<File>>> + Send;
    fn files(
        &self,
        vault: &VaultId,
        query: FileQuery,
    ) -> impl Future<Output = StoreResult<Vec<File>>> + Send;
    /// Deleted files whose names are unused, last deleted first; `before`: only those deleted in an
    /// earlier change.
    fn deleted(
        &self,
        vault: &VaultId,
        before: Option<i64>,
        limit: u32,
    ) -> impl Future<Output = StoreResult<Vec<File>>> + Send;
    /// The direct entries of a folder.
    fn folder(
        &self,
        vault: &VaultId,
        query: FolderQuery,
    ) -> impl Future<Output = StoreResult<Vec<FolderEntry>>> + Send;
    /// Newest first; `before`: only revisions with a smaller number.
    fn history(
        &self,
        vault: &VaultId,
        file: &FileId,
        before: Option<i64>,
        limit: u32,
    ) -> impl Future<Output = StoreResult<Vec<Revision>>> + Send;
    fn revision(
        &self,
        vault: &VaultId,
        file: &FileId,
        revision: i64,
    ) -> impl Future<Output = StoreResult<Option<Revision>>> + Send;
    /// The vault's changes with a greater number, oldest first.
    fn changes(
        &self,
        vault: &VaultId,
        since: i64,
        limit: u32,
    ) -> impl Future<Output = StoreResult<Vec<Revision>>> + Send;

    /// One transaction. It claims the key: a used key returns its earlier outcome, or
    /// [`VaultError::KeyReused`] for another request. It locks the file, calls
    /// [`decide`](crate::decide::decide), and writes the new file, guarded by revision and lock
    /// number. It also writes the folders that appear or become empty, blob, revision with the
    /// vault's next `change`, event and audit.
    ///
    /// A name taken meanwhile is `Exists` or `NameConflict`, settled by the unique index.
    fn apply(&self, command: Command) -> impl Future<Output = Result<Outcome, VaultError>> + Send;

    // events
    /// With a greater id, oldest first.
    fn events(
        &self,
        vault: &VaultId,
        since: i64,
        limit: u32,
    ) -> impl Future<Output = StoreResult<Vec<Event>>> + Send;
    fn heads(&self, vault: &VaultId) -> impl Future<Output = StoreResult<Heads>> + Send;

    // git
    /// The newest change whose commit is durable in git, 0 if none.
    fn derived(
        &self,
        vault: &VaultId,
    ) -> impl Future<Output = StoreResult<Option<DerivedCommit>>> + Send;
    fn record_derived(
        &self,
        vault: &VaultId,
        commits: Vec<DerivedCommit>,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    // maintenance
    /// Every blob that a revision refers to, by id, after `after`: for `verify`.
    fn blobs(
        &self,
        vault: &VaultId,
        after: Option<&BlobId>,
        limit: u32,
    ) -> impl Future<Output = StoreResult<Vec<Blob>>> + Send;
    /// Whether a revision refers to the blob, or a revision once did.
    fn has_blob(
        &self,
        vault: &VaultId,
        id: &BlobId,
    ) -> impl Future<Output = StoreResult<bool>> + Send;
    /// Deletes idempotency keys older than `before`. At most a few hundred at once; returns how
    /// many.
    fn purge_idempotency_keys(
        &self,
        before: Timestamp,
    ) -> impl Future<Output = StoreResult<u64>> + Send;
    fn vault(&self, name: &VaultName) -> impl Future<Output = StoreResult<Option<Realm>>> + Send;
}
