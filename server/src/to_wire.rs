//! Conversions from the domain's types to those of `wire`.

use auth::{Realm, Username};
use http::{HeaderMap, HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use vault::{BlobId, File, LockOverride, Revision};
use wire::FileStatus;

/// All but the unreserved characters of RFC 3986 §2.3.
const PATH_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The file for `viewer`. `checked_out_by_user` depends on the viewer.
#[must_use]
pub fn file(file: &File, viewer: &Username) -> wire::File {
    wire::File {
        filename: file.name.to_string(),
        description: file.description.as_ref().map(ToString::to_string),
        status: match file.holder() {
            None => FileStatus::Unlocked,
            Some(holder) if holder == viewer => FileStatus::CheckedOutByUser,
            Some(_) => FileStatus::Locked,
        },
        revision: file.revision,
        size: wire_size(file.blob.size),
        sha256: file.blob.id.to_string(),
        modified_at: file.modified_at,
        modified_by: file.modified_by.to_string(),
        locked_by: file.holder().map(ToString::to_string),
        locked_by_name: file
            .lock
            .as_ref()
            .and_then(|lock| lock.holder_name.as_ref())
            .map(|name| name.as_str().to_owned()),
        locked_at: file.lock.as_ref().map(|lock| lock.at),
        lock_note: file
            .lock
            .as_ref()
            .and_then(|lock| lock.note.as_ref())
            .map(ToString::to_string),
        change: file.change,
    }
}

#[must_use]
pub fn revision(revision: &Revision) -> wire::Revision {
    wire::Revision {
        revision: revision.revision,
        change: revision.change,
        comment: revision.comment.to_string(),
        user: revision.author.username.to_string(),
        timestamp: revision.at,
        size: revision.blob.as_ref().map(|blob| wire_size(blob.size)),
        sha256: revision.blob.as_ref().map(|blob| blob.id.to_string()),
        kind: revision.kind.as_str().to_owned(),
        moved_to: revision
            .moved_from
            .as_ref()
            .map(|_| revision.name.to_string()),
        moved_from: revision.moved_from.as_ref().map(ToString::to_string),
        overrides: Vec::new(),
    }
}

/// Revisions with the locks that were broken while each was the newest.
#[must_use]
pub fn history(revisions: &[Revision], overrides: &[LockOverride]) -> Vec<wire::Revision> {
    let with_overrides = |revision: &Revision| {
        let during = overrides
            .iter()
            .filter(|broken| broken.revision == revision.revision);
        wire::Revision {
            overrides: during.map(lock_override).collect(),
            ..self::revision(revision)
        }
    };
    revisions.iter().map(with_overrides).collect()
}

fn lock_override(broken: &LockOverride) -> wire::LockOverride {
    wire::LockOverride {
        user: broken.by.to_string(),
        holder: broken.holder.to_string(),
        reason: broken.reason.to_string(),
        timestamp: broken.at,
    }
}

#[must_use]
pub fn change(revision: &Revision) -> wire::Change {
    wire::Change {
        change: revision.change,
        filename: revision.name.to_string(),
        moved_from: revision.moved_from.as_ref().map(ToString::to_string),
        revision: revision.revision,
        comment: revision.comment.to_string(),
        user: revision.author.username.to_string(),
        timestamp: revision.at,
        size: revision.blob.as_ref().map(|blob| wire_size(blob.size)),
        sha256: revision.blob.as_ref().map(|blob| blob.id.to_string()),
        kind: revision.kind.as_str().to_owned(),
    }
}

/// The quoted sha256: a strong validator (RFC 9110 §8.8.3).
#[must_use]
pub fn etag(id: &BlobId) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(tag) = HeaderValue::try_from(format!("\"{id}\"")) {
        headers.insert(header::ETAG, tag);
    }
    headers
}

/// `ETag` of the content and `Location` of the file, after a change of its content.
#[must_use]
pub fn file_headers(vault: &Realm, file: &File) -> HeaderMap {
    let mut headers = etag(&file.blob.id);
    let name = percent_encoding::utf8_percent_encode(file.name.as_str(), PATH_SEGMENT);
    let location = format!("/api/vaults/{}/files/{name}", vault.name);
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(header::LOCATION, location);
    }
    headers
}

fn wire_size(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
