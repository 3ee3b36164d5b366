//! JSON as stored in rows: shapes of this crate, separate from the wire's and the domain's. Fields
//! are only added, with defaults, so that old rows stay readable.

use auth::{DisplayName, Username};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use vault::{Blob, BlobId, Effect, File, FileId, Filename, Lock, Outcome, UserText};

use crate::{accounts::username, error::DbError};

pub(crate) fn write(row: &impl Serialize) -> Result<String, DbError> {
    serde_json::to_string(row).map_err(|error| DbError::corrupt(error.to_string()))
}

pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Result<T, DbError> {
    serde_json::from_str(json)
        .map_err(|error| DbError::corrupt(format!("stored JSON is invalid: {error}")))
}

/// The JSON in `events.body`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EventBody {
    pub(crate) file: FileRow,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moved_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

impl EventBody {
    pub(crate) fn of(effect: &Effect, file: &File) -> Self {
        Self {
            file: FileRow::of(file),
            moved_from: effect.moved_from.as_ref().map(Filename::to_string),
            reason: effect.reason.as_ref().map(UserText::to_string),
        }
    }
}

/// The JSON in `idempotency.outcome`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OutcomeRow {
    file: FileRow,
    event: i64,
    #[serde(default)]
    change: Option<i64>,
}

impl OutcomeRow {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        Self {
            file: FileRow::of(&outcome.file),
            event: outcome.event,
            change: outcome.change,
        }
    }

    /// Converts back into the original outcome.
    pub(crate) fn replayed(self) -> Result<Outcome, DbError> {
        Ok(Outcome {
            file: self.file.into_file()?,
            event: self.event,
            change: self.change,
            overridden: None,
            replayed: true,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileRow {
    id: String,
    name: String,
    #[serde(default)]
    description: Option<String>,
    revision: i64,
    change: i64,
    oid: String,
    size: u64,
    modified_at: Timestamp,
    modified_by: String,
    #[serde(default)]
    lock: Option<LockRow>,
    #[serde(default)]
    grants: i64,
    #[serde(default)]
    deleted: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct LockRow {
    id: i64,
    holder: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder_name: Option<String>,
    at: Timestamp,
    #[serde(default)]
    note: Option<String>,
}

impl FileRow {
    fn of(file: &File) -> Self {
        Self {
            id: file.id.to_string(),
            name: file.name.to_string(),
            description: file.description.as_ref().map(UserText::to_string),
            revision: file.revision,
            change: file.change,
            oid: file.blob.id.to_string(),
            size: file.blob.size,
            modified_at: file.modified_at,
            modified_by: file.modified_by.to_string(),
            lock: file.lock.as_ref().map(LockRow::of),
            grants: file.lock_seq,
            deleted: file.deleted,
        }
    }

    pub(crate) fn into_file(self) -> Result<File, DbError> {
        Ok(File {
            id: FileId::new(&self.id),
            name: Filename::from_stored(&self.name),
            description: self.description.map(UserText::from_stored),
            revision: self.revision,
            change: self.change,
            blob: Blob {
                id: blob_id(&self.oid)?,
                size: self.size,
            },
            modified_at: self.modified_at,
            modified_by: username(&self.modified_by)?,
            lock: self.lock.map(LockRow::into_lock).transpose()?,
            lock_seq: self.grants,
            deleted: self.deleted,
        })
    }
}

impl LockRow {
    fn of(lock: &Lock) -> Self {
        let note = lock.note.as_ref().map(UserText::to_string);
        Self {
            id: lock.id,
            holder: lock.holder.to_string(),
            holder_name: lock
                .holder_name
                .as_ref()
                .map(|name| name.as_str().to_owned()),
            at: lock.at,
            note,
        }
    }

    fn into_lock(self) -> Result<Lock, DbError> {
        let (holder, note): (Username, _) = (
            username(&self.holder)?,
            self.note.map(UserText::from_stored),
        );
        Ok(Lock {
            id: self.id,
            holder,
            holder_name: self
                .holder_name
                .and_then(|name| DisplayName::parse(&name).ok()),
            at: self.at,
            note,
        })
    }
}

pub(crate) fn blob_id(raw: &str) -> Result<BlobId, DbError> {
    BlobId::parse(raw).ok_or_else(|| DbError::corrupt("stored content hash is invalid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcome_row_of_another_version_is_readable() {
        let oid = "0".repeat(64);
        let old = format!(
            r#"{{"file":{{"id":"f","name":"a.step","revision":1,"change":2,"oid":"{oid}","size":3,
            "modified_at":"2026-01-01T00:00:00Z","modified_by":"ada","unheard_of":[1]}},"event":9,"later":true}}"#
        );
        let outcome = read::<OutcomeRow>(&old).unwrap().replayed().unwrap();
        assert_eq!(
            (outcome.event, outcome.file.lock, outcome.replayed),
            (9, None, true)
        );
    }
}
