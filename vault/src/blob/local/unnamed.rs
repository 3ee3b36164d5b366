//! Markers of content that no row may name, in `lfs/unnamed/<oid>`. An upload creates one before the
//! content appears. The row's commit removes it, so the marker of a refused upload stays.
//!
//! Content without a marker is never collected: a server that is started with another database
//! removes nothing. After a power failure a marker may be lost; then `verify` lists the content.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{folder::names, object_path};
use crate::BlobId;

pub(super) fn marker_path(lfs: &Path, id: &BlobId) -> PathBuf {
    lfs.join("unnamed").join(id.as_str())
}

/// Creates the marker. The time of an existing one becomes now.
pub(super) fn mark(marker: &Path) -> io::Result<()> {
    // A byte, because writing none does not change the time.
    match (fs::write(marker, b"\n"), marker.parent()) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            fs::write(marker, b"\n")
        }
        (written, _) => written,
    }
}

/// The content whose marker is not younger than `before`.
pub(super) fn list(lfs: &Path, before: Timestamp) -> io::Result<Vec<BlobId>> {
    let folder = lfs.join("unnamed");
    let mut old = Vec::new();
    for id in names(&folder, None)?
        .iter()
        .filter_map(|name| BlobId::parse(name))
    {
        match fs::metadata(marker_path(lfs, &id)).and_then(|marker| marker.modified()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(marked) => {
                old.extend(
                    Timestamp::try_from(marked)
                        .is_ok_and(|at| at <= before)
                        .then_some(id),
                );
            }
        }
    }
    Ok(old)
}

/// Removes the content of a marker, then the marker. After a crash in between, both are found again.
pub(super) fn remove_content(marker: &Path) -> io::Result<()> {
    let id = marker.file_name().and_then(|name| name.to_str());
    let lfs = marker.parent().and_then(Path::parent);
    let (Some(id), Some(lfs)) = (id.and_then(BlobId::parse), lfs) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let object = object_path(lfs, &id);
    if gone(fs::remove_file(&object))?
        && let Some(folder) = object.parent()
    {
        durable_fs::sync_folder(folder)?;
    }
    gone(fs::remove_file(marker)).map(drop)
}

/// Removes the marker of content that a row names.
pub(super) fn unmark(marker: &Path) -> io::Result<()> {
    gone(fs::remove_file(marker)).map(drop)
}

/// Whether a file was removed; it may not exist.
fn gone(removed: io::Result<()>) -> io::Result<bool> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true),
    }
}
