//! Files, locks, revisions, and the git derived from them.
//!
//! Deliberately absent: HTTP and SQL. Rules are in [`decide`], which is pure: it maps the current
//! file and a command to the new file. The [`VaultStore`] runs it inside its transaction and
//! records the result.

pub mod action;
pub mod blob;
pub mod decide;
pub mod error;
pub mod file;
pub mod filename;
pub mod git;
pub mod history;
pub mod order;
pub mod search;
pub mod store;
#[cfg(test)]
mod testing;
pub mod user_text;
pub mod vault;
pub mod verify;

pub use auth::{Realm, RealmId as VaultId, RealmName as VaultName};
pub use blob::{Blob, BlobId, BlobStore, BlobUpload, ContentStream, local::LocalBlobs};
pub use error::VaultError;
pub use file::{File, FileId, Lock};
pub use filename::{BadFilename, Filename, NameKey};
pub use history::{Event, EventAction, LockOverride, Revision, RevisionKind};
pub use store::{Command, Effect, Operation, Outcome, VaultStore};
pub use user_text::UserText;
pub use vault::Vault;
