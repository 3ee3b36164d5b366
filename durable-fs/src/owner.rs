//! Owner and mode of files that another account created.

use std::{fs::File, io, path::Path};

/// Gives `to` the owner and mode of the file `from`.
#[cfg(unix)]
pub(crate) fn copy(from: &Path, to: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let (wanted, present) = (std::fs::metadata(from)?, to.metadata()?);
    if (wanted.uid(), wanted.gid()) != (present.uid(), present.gid()) {
        fchown(to, Some(wanted.uid()), Some(wanted.gid()))?;
    }
    // After the change of owner, which clears bits.
    to.set_permissions(wanted.permissions())
}

/// Gives a file that root created to the owner of its folder. Other accounts keep their files.
#[cfg(unix)]
pub(crate) fn take_from_folder(folder: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    const ROOT: u32 = 0;
    let (folder, present) = (std::fs::metadata(folder)?, file.metadata()?);
    if present.uid() == ROOT && folder.uid() != ROOT {
        fchown(file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn copy(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn take_from_folder(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}
