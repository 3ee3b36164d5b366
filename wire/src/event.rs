//! Messages of the WebSocket and of the event stream.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::File;

#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    FileUpdated(Box<FileUpdated>),
    FileDeleted(FileDeleted),
    /// The client is too far behind: reload the list, then continue from `id`.
    Resync {
        id: i64,
    },
}

#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FileUpdated {
    /// Increases by one with every event of the vault; `?since=` takes it.
    pub id: i64,
    pub vault: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub by: String,
    #[schema(value_type = crate::EventAction)]
    pub action: String,
    pub data: File,
    /// The previous name, after a move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// The reason for breaking a lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FileDeleted {
    pub id: i64,
    pub vault: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub by: String,
    pub data: DeletedFile,
}

#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DeletedFile {
    pub filename: String,
}
