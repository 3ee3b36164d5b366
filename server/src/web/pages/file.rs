//! The page of a file: metadata, lock state and all revisions.

use askama::Template;
use jiff::Timestamp;
use wire::Revision;

use crate::web::{
    Crumb, Row, Shell, VaultContext, format,
    pages::folder::{crumbs, file_name},
};

/// `GET /v/{vault}/h/{filename…}`.
///
/// The handler supplies the file as the viewer sees it (`None` if it was deleted), a page of its
/// revisions, newest first, and the URL of the next page (`?after=…`). It responds with 404 if
/// there is neither a file nor a history.
#[derive(Debug, Template)]
#[template(path = "file.html")]
pub struct FilePage {
    pub shell: Shell,
    pub at: VaultContext,
    pub filename: String,
    pub file: Option<Row>,
    pub revisions: Vec<Revision>,
    pub next: Option<String>,
}

impl FilePage {
    pub fn file_name(&self) -> &str {
        file_name(&self.filename)
    }

    pub fn crumbs(&self) -> Vec<Crumb> {
        let folder = self
            .filename
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        crumbs(&self.at, folder)
    }

    pub fn status(&self) -> &'static str {
        self.file.as_ref().map_or("deleted", Row::status)
    }

    /// `added` → `Added`.
    pub fn kind(&self, revision: &Revision) -> &'static str {
        match revision.kind.as_str() {
            "added" => "Added",
            "moved" => "Moved",
            "restored" => "Restored",
            "deleted" => "Deleted",
            _ => "Checked in",
        }
    }

    pub fn is_current(&self, revision: &Revision) -> bool {
        self.file
            .as_ref()
            .is_some_and(|file| file.0.revision == revision.revision)
    }

    pub fn size(&self, bytes: &i64) -> String {
        format::size(*bytes)
    }

    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }

    pub fn revision_url(&self, revision: &Revision) -> String {
        format!(
            "{}?revision={}",
            self.at.content_url(&self.filename),
            revision.revision
        )
    }
}
