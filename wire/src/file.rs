//! Files and their revisions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A file as its caller sees it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = FileInfo)]
pub struct File {
    #[schema(example = "fixtures/vise.step")]
    pub filename: String,
    pub description: Option<String>,
    pub status: FileStatus,
    /// Counts this file's revisions from 1.
    pub revision: i64,
    /// Bytes.
    pub size: i64,
    /// Lowercase hex.
    pub sha256: String,
    #[schema(value_type = String, format = DateTime)]
    pub modified_at: Timestamp,
    pub modified_by: String,
    pub locked_by: Option<String>,
    /// The holder's display name, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_by_name: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub locked_at: Option<Timestamp>,
    pub lock_note: Option<String>,
    /// The vault-wide number of the change that made this revision.
    pub change: i64,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    Unlocked,
    /// By another user.
    Locked,
    /// By the caller.
    CheckedOutByUser,
}

/// `PUT /api/files/{filename}`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// `null` clears it.
    #[schema(max_length = 10_000)]
    pub description: Option<String>,
}

/// `POST …/checkout`; the body is optional.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckOut {
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub note: Option<String>,
}

/// `POST …/override`.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Every member of the vault can read it. Without it, the record says that none was given.
    #[schema(max_length = 1000)]
    #[serde(default)]
    pub reason: Option<String>,
    /// Checks the file out to the caller in the same step.
    #[serde(default)]
    pub take: bool,
}

/// `POST …/move`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    #[schema(example = "fixtures/vise-2.step")]
    pub to: String,
}

/// `POST …/restore`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    #[schema(minimum = 1)]
    pub revision: i64,
}

/// One entry of a file's history.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Revision {
    pub revision: i64,
    pub change: i64,
    pub comment: String,
    pub user: String,
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Timestamp,
    /// Bytes; null if this revision deleted the file.
    pub size: Option<i64>,
    pub sha256: Option<String>,
    #[schema(value_type = crate::RevisionKind)]
    pub kind: String,
    /// The name before, of a move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// The name after, of a move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    /// The locks that other users broke while this revision was the newest, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<LockOverride>,
}

/// A broken lock.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LockOverride {
    pub user: String,
    /// The user who held the lock.
    pub holder: String,
    pub reason: String,
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Timestamp,
}

/// One entry of the vault-wide log, `GET /api/changes`, oldest first.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Change {
    pub change: i64,
    pub filename: String,
    /// The previous name, after a move.
    pub moved_from: Option<String>,
    pub revision: i64,
    pub comment: String,
    pub user: String,
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Timestamp,
    pub size: Option<i64>,
    pub sha256: Option<String>,
    #[schema(value_type = crate::RevisionKind)]
    pub kind: String,
}

/// The multipart body of `PUT …/content`, for the API document.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct NewContent {
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    pub file: String,
    #[serde(default)]
    pub comment: Option<String>,
}

/// The multipart body of `POST …/checkin`, for the API document.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct CheckIn {
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    pub file: String,
    pub comment: String,
    /// `true` keeps the file checked out.
    #[serde(default)]
    pub keep_checked_out: Option<bool>,
    /// What to do with the content that the newest revision has already.
    #[serde(default)]
    pub unchanged: Option<UnchangedContent>,
}

/// A check-in of the content that the newest revision has.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnchangedContent {
    /// Becomes a revision like any other. The default.
    Accept,
    /// Is refused with 409, so that a client can ask its user first.
    Refuse,
}
