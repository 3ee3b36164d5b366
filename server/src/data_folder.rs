//! Who may write the data folder: its owner alone, because it contains keys and password hashes.

use std::path::Path;

use anyhow::Context as _;

/// What an account that can write it could replace: keys, accounts, the last audit entry, content.
const OWN_ENTRIES: [&str; 4] = ["", "keys", "vaults", "strongroom.db"];

/// Creates the folder for its owner alone.
pub(crate) fn create_private_folder(folder: &Path) -> anyhow::Result<()> {
    durable_fs::create_folder(folder)
        .with_context(|| format!("The folder {} cannot be created", folder.display()))
}

/// # Errors
/// Another account may write the folder. The message says how to mend it.
#[cfg(unix)]
pub(crate) fn refuse_writable_by_others(data: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    const OTHERS_WRITE: u32 = 0o022;
    for entry in OWN_ENTRIES {
        let path = if entry.is_empty() {
            data.to_owned()
        } else {
            data.join(entry)
        };
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        let mode = metadata.permissions().mode() & 0o7777;
        anyhow::ensure!(
            mode & OTHERS_WRITE == 0,
            "Other accounts can write {path} (mode {mode:04o}), so they could replace keys and accounts. \
             Take the right away: chmod go-w '{path}'",
            path = path.display()
        );
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn refuse_writable_by_others(_: &Path) -> anyhow::Result<()> {
    Ok(())
}
