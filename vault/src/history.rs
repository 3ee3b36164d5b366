//! Revisions of a file, changes of a vault, events of both.

use auth::{Actor, Username};
use jiff::Timestamp;

use crate::{Blob, File, FileId, Filename, UserText, VaultId};

/// One version of one file: immutable. Every revision is one change of the vault and one git
/// commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    pub file: FileId,
    pub revision: i64,
    pub change: i64,
    pub kind: RevisionKind,
    /// The file's name from this revision on.
    pub name: Filename,
    /// Its name before, if this revision moved it.
    pub moved_from: Option<Filename>,
    /// None if this revision deleted the file.
    pub blob: Option<Blob>,
    pub author: Author,
    pub at: Timestamp,
    pub comment: UserText,
}

/// The author in git, fixed at the time: a later change of name or e-mail does not rewrite history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    pub username: Username,
    /// Display name, or the username.
    pub name: String,
    /// E-mail, or `<username>@strongroom.invalid` (RFC 2606).
    pub email: String,
}

impl Author {
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        let username = actor.username.clone();
        let name = actor
            .display_name
            .as_ref()
            .map_or_else(|| username.to_string(), |name| name.as_str().to_owned());
        let email = actor.email.as_ref().map_or_else(
            || {
                format!(
                    "{}@strongroom.invalid",
                    username.as_str().replace('@', ".at.")
                )
            },
            |email| email.as_str().to_owned(),
        );
        Self {
            username,
            name,
            email,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionKind {
    Added,
    CheckedIn,
    Moved,
    Restored,
    Deleted,
}

impl RevisionKind {
    pub const ALL: [Self; 5] = [
        Self::Added,
        Self::CheckedIn,
        Self::Moved,
        Self::Restored,
        Self::Deleted,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::CheckedIn => "checked_in",
            Self::Moved => "moved",
            Self::Restored => "restored",
            Self::Deleted => "deleted",
        }
    }

    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == raw)
    }
}

/// A broken lock, as its file's history and its holder's notices show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockOverride {
    pub vault: VaultId,
    /// The event that recorded it.
    pub event: i64,
    pub file: FileId,
    /// The file's name at the time.
    pub name: Filename,
    /// The file's newest revision at the time.
    pub revision: i64,
    pub holder: Username,
    pub by: Username,
    pub at: Timestamp,
    pub reason: UserText,
}

/// One entry of a vault's event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Increases by one with every event of the vault, in the order of commits.
    pub id: i64,
    pub at: Timestamp,
    pub by: Username,
    pub action: EventAction,
    /// The file after the event.
    pub file: File,
    pub moved_from: Option<Filename>,
    /// The reason for breaking a lock.
    pub reason: Option<UserText>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventAction {
    Add,
    CheckOut,
    Cancel,
    CheckIn,
    Override,
    Describe,
    Move,
    Restore,
    Delete,
}

impl EventAction {
    pub const ALL: [Self; 9] = [
        Self::Add,
        Self::CheckOut,
        Self::Cancel,
        Self::CheckIn,
        Self::Override,
        Self::Describe,
        Self::Move,
        Self::Restore,
        Self::Delete,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::CheckOut => "checkout",
            Self::Cancel => "cancel",
            Self::CheckIn => "checkin",
            Self::Override => "override",
            Self::Describe => "describe",
            Self::Move => "move",
            Self::Restore => "restore",
            Self::Delete => "delete",
        }
    }

    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == raw)
    }
}
