//! What a file looks like on the wire, and to whom: the same in REST answers and in events.

use auth::Username;
use wire::FileStatus;

/// `viewer` decides the status: only the lock's holder sees `checked_out_by_user`.
#[must_use]
pub fn file(file: &vault::File, viewer: &Username) -> wire::File {
    let lock = file.lock.as_ref();
    wire::File {
        filename: file.name.to_string(),
        description: file.description.as_ref().map(ToString::to_string),
        status: match file.holder() {
            None => FileStatus::Unlocked,
            Some(holder) if holder == viewer => FileStatus::CheckedOutByUser,
            Some(_) => FileStatus::Locked,
        },
        revision: file.revision,
        size: i64::try_from(file.blob.size).unwrap_or(i64::MAX),
        sha256: file.blob.id.to_string(),
        modified_at: file.modified_at,
        modified_by: file.modified_by.to_string(),
        locked_by: lock.map(|lock| lock.holder.to_string()),
        locked_at: lock.map(|lock| lock.at),
        lock_note: lock.and_then(|lock| lock.note.as_ref()).map(ToString::to_string),
        change: file.change,
    }
}
