//! What every page has around it: the header, and where its script, style and icons are.

use auth::Role;

use super::{assets, format};

/// Who is looking.
#[derive(Clone, Debug)]
pub struct Viewer {
    pub username: String,
    pub display_name: Option<String>,
    pub is_admin: bool,
    /// A vault at least, so they may invite.
    pub manages: bool,
}

impl Viewer {
    pub fn name(&self) -> &str {
        self.display_name
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.username)
    }

    /// The letter in the round badge.
    pub fn initial(&self) -> String {
        self.name()
            .chars()
            .next()
            .map(|first| first.to_uppercase().collect())
            .unwrap_or_default()
    }
}

/// The header's contents. `Shell::default()` is for people who have not signed in.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    pub viewer: Option<Viewer>,
    /// The vault that the page is about, if it is about one.
    pub vault: Option<String>,
    /// Every vault the viewer may open, by name.
    pub vaults: Vec<String>,
}

impl Shell {
    /// The address of a file under `assets/`, for ever the same bytes.
    pub fn asset(&self, path: &str) -> String {
        assets::url(path)
    }

    pub fn is_admin(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.is_admin)
    }

    pub fn vault_url(&self, vault: &str) -> String {
        format!("/v/{}", format::segment(vault))
    }

    pub fn is_current(&self, vault: &str) -> bool {
        self.vault.as_deref() == Some(vault)
    }
}

/// Where in which vault the viewer stands and what they may do there: what the scripts need to know, as data
/// attributes of `<main>`.
#[derive(Clone, Debug)]
pub struct Workplace {
    pub vault: String,
    pub role: Role,
    /// The vault's newest event when the page was made; live events go on from here.
    pub since: i64,
    /// The least of upload sizes that is refused, in bytes.
    pub max_file_size: u64,
}

impl Workplace {
    pub fn may_edit(&self) -> bool {
        self.role >= Role::Editor
    }

    pub fn may_manage(&self) -> bool {
        self.role >= Role::Manager
    }

    pub fn url(&self) -> String {
        format!("/v/{}", format::segment(&self.vault))
    }

    pub fn api(&self) -> String {
        format!("/api/vaults/{}", format::segment(&self.vault))
    }

    pub fn folder_url(&self, folder: &str) -> String {
        if folder.is_empty() {
            self.url()
        } else {
            format!("{}/f/{}", self.url(), format::path(folder))
        }
    }

    pub fn file_url(&self, filename: &str) -> String {
        format!("{}/h/{}", self.url(), format::path(filename))
    }

    pub fn content_url(&self, filename: &str) -> String {
        format!("{}/files/{}/content", self.api(), format::segment(filename))
    }
}
