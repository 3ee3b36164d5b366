//! A folder in git-lfs's own layout: `<root>/<vault>.git/lfs/objects/aa/bb/<oid>`. TO BE WRITTEN.

use std::path::PathBuf;

#[derive(Clone, Debug)]
pub struct LocalBlobs {
    root: PathBuf,
    max_size: u64,
}
