//! Deleted files, which can be restored.

use askama::Template;
use wire::File;

use crate::web::{
    Shell, VaultContext, format,
    pages::folder::{Crumb, crumbs, file_name},
};

/// `GET /v/{vault}/deleted`. The handler supplies the files that were deleted last, newest first,
/// and the address of the next page.
#[derive(Debug, Template)]
#[template(path = "deleted.html")]
pub struct DeletedPage {
    pub shell: Shell,
    pub at: VaultContext,
    /// `modified_by` is the user who deleted the file, and `revision` is the deletion.
    pub files: Vec<File>,
    pub next: Option<String>,
}

impl DeletedPage {
    pub fn crumbs(&self) -> Vec<Crumb> {
        crumbs(&self.at, "")
    }

    pub fn file_name<'a>(&self, file: &'a File) -> &'a str {
        file_name(&file.filename)
    }

    pub fn folder<'a>(&self, file: &'a File) -> &'a str {
        file.filename
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
    }

    /// The last revision with content, before the deletion.
    pub fn last_revision(&self, file: &File) -> i64 {
        file.revision - 1
    }

    pub fn size(&self, file: &File) -> String {
        format::size(file.size)
    }

    pub fn time(&self, file: &File) -> String {
        format::time(&file.modified_at)
    }
}
