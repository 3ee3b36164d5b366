//! The page of a folder.

use askama::Template;
use wire::{File, FileStatus};

use crate::web::{Columns, Shell, VaultContext, format};

/// `GET /`, `GET /v/{vault}`, `GET /v/{vault}/f/{folder…}`.
///
/// The handler supplies the path of the folder (empty at the top), its direct contents
/// (`Vault::folder`, folders first), the files as the viewer sees them (converted as in the API),
/// and the URL of the next page (`?after=…`), if any. Search and filters use the API: the script
/// requests `…/files?q=`.
#[derive(Debug, Template)]
#[template(path = "folder.html")]
pub struct FolderPage {
    pub shell: Shell,
    pub at: VaultContext,
    /// `fixtures/jigs`, or empty at the top.
    pub folder: String,
    pub columns: Columns,
    pub folders: Vec<Folder>,
    pub files: Vec<Row>,
    pub next: Option<String>,
}

/// A folder in a folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The whole path.
    pub path: String,
}

impl Folder {
    pub fn name(&self) -> &str {
        file_name(&self.path)
    }
}

/// One item of the breadcrumb navigation.
#[derive(Clone, Debug)]
pub struct Crumb {
    pub name: String,
    pub url: String,
}

/// A file, in a table or on its own page.
#[derive(Clone, Debug)]
pub struct Row(pub File);

impl FolderPage {
    pub fn title(&self) -> &str {
        if self.folder.is_empty() {
            &self.at.vault
        } else {
            file_name(&self.folder)
        }
    }

    pub fn crumbs(&self) -> Vec<Crumb> {
        crumbs(&self.at, &self.folder)
    }

    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.is_empty()
    }

    /// The template row that the script clones for a new file.
    pub fn template_row(&self) -> Row {
        Row::template_row()
    }

    pub fn template_folder(&self) -> Folder {
        Folder {
            path: String::new(),
        }
    }
}

impl Row {
    pub(crate) fn template_row() -> Self {
        Self(File {
            filename: String::new(),
            description: None,
            status: FileStatus::Unlocked,
            revision: 0,
            size: 0,
            sha256: String::new(),
            modified_at: jiff::Timestamp::UNIX_EPOCH,
            modified_by: String::new(),
            locked_by: None,
            locked_by_name: None,
            locked_at: None,
            lock_note: None,
            change: 0,
        })
    }

    pub fn file_name(&self) -> &str {
        file_name(&self.0.filename)
    }

    /// As in the API: `unlocked`, `locked`, `checked_out_by_user`.
    pub fn status(&self) -> &'static str {
        match self.0.status {
            FileStatus::Unlocked => "unlocked",
            FileStatus::Locked => "locked",
            FileStatus::CheckedOutByUser => "checked_out_by_user",
        }
    }

    pub fn status_text(&self) -> String {
        match (self.0.status, &self.0.locked_by) {
            (FileStatus::Unlocked, _) => "Available".to_owned(),
            (FileStatus::CheckedOutByUser, _) => "Checked out by you".to_owned(),
            (FileStatus::Locked, Some(holder)) => format!("Checked out by {holder}"),
            (FileStatus::Locked, None) => "Checked out".to_owned(),
        }
    }

    /// The display name of the holder, which stands beside the username: others may have the same.
    pub fn holder_name(&self) -> &str {
        self.0.locked_by_name.as_deref().unwrap_or_default()
    }

    pub fn holder(&self) -> &str {
        self.0.locked_by.as_deref().unwrap_or_default()
    }

    pub fn size(&self) -> String {
        format::size(self.0.size)
    }

    pub fn modified_at(&self) -> String {
        format::time(&self.0.modified_at)
    }

    /// The `datetime` attribute and the text of a `<time>` element.
    pub fn locked_at(&self) -> Option<(String, String)> {
        self.0
            .locked_at
            .as_ref()
            .map(|at| (at.to_string(), format::time(at)))
    }

    pub fn description(&self) -> &str {
        self.0.description.as_deref().unwrap_or_default()
    }

    pub fn lock_note(&self) -> &str {
        self.0.lock_note.as_deref().unwrap_or_default()
    }
}

pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, leaf)| leaf)
}

/// The vault, then each folder down to and including `folder`.
pub(crate) fn crumbs(at: &VaultContext, folder: &str) -> Vec<Crumb> {
    let top = Crumb {
        name: at.vault.clone(),
        url: at.url(),
    };
    let ends = folder
        .match_indices('/')
        .map(|(end, _)| end)
        .chain((!folder.is_empty()).then_some(folder.len()));
    let below = ends.map(|end| &folder[..end]).map(|path| Crumb {
        name: file_name(path).into(),
        url: at.folder_url(path),
    });
    std::iter::once(top).chain(below).collect()
}
