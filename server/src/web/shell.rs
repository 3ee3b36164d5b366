//! The frame of every page: the header, and the URLs of scripts, styles and icons.

use auth::Role;
use jiff::Timestamp;

use super::{assets, format, page_account};

/// The files of `assets/css`, in the order of the cascade.
const STYLESHEETS: [&str; 8] = [
    "base", "controls", "layout", "files", "people", "team", "dialogs", "sign-in",
];

/// The signed-in user.
#[derive(Clone, Debug)]
pub struct Viewer {
    pub username: String,
    pub display_name: Option<String>,
    pub is_admin: bool,
    /// Whether the user manages a vault and so can invite.
    pub manages: bool,
}

impl Viewer {
    pub fn name(&self) -> &str {
        self.display_name
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.username)
    }

    /// Names the account in requests of the page.
    pub fn page_account(&self) -> String {
        page_account::page_account(&self.username)
    }

    /// The initial in the avatar.
    pub fn initial(&self) -> String {
        self.name()
            .chars()
            .next()
            .map(|first| first.to_uppercase().collect())
            .unwrap_or_default()
    }
}

/// The contents of the header. `Shell::default()` is for users who have not signed in.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    pub viewer: Option<Viewer>,
    /// The vault of the page, if any.
    pub vault: Option<String>,
    /// The names of all vaults that the viewer can open.
    pub vaults: Vec<String>,
    /// What other users did to the viewer's check-outs, until the viewer dismisses it.
    pub notices: Vec<OverrideNotice>,
    /// The address of the installation, if the page was opened at one where sign-in does not work.
    pub proper_url: Option<String>,
}

/// A broken lock, as its former holder sees it.
#[derive(Clone, Debug)]
pub struct OverrideNotice {
    pub vault: String,
    pub event: i64,
    pub filename: String,
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
}

impl OverrideNotice {
    pub fn url(&self) -> String {
        format!(
            "/v/{}/h/{}",
            format::segment(&self.vault),
            format::path(&self.filename)
        )
    }

    pub fn time(&self) -> String {
        format::time(&self.at)
    }
}

impl Shell {
    /// The URL of a file under `assets/`. The content at a URL never changes.
    pub fn asset(&self, path: &str) -> String {
        assets::asset_url(path)
    }

    /// The URLs of the stylesheets, in the order of the cascade.
    pub fn stylesheets(&self) -> [String; STYLESHEETS.len()] {
        STYLESHEETS.map(|name| self.asset(&format!("css/{name}.css")))
    }

    pub fn is_admin(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.is_admin)
    }

    pub fn vault_url(&self, vault: &str) -> String {
        format!("/v/{}", format::segment(vault))
    }

    /// The stream that carries notices to a page without one of its own: any vault's does.
    pub fn notice_stream(&self) -> Option<String> {
        let vault = self.vaults.first()?;
        Some(format!("/api/events?vault={}", format::segment(vault)))
    }

    pub fn is_current(&self, vault: &str) -> bool {
        self.vault.as_deref() == Some(vault)
    }
}

/// The vault of a page and the rights of the viewer there. Scripts read it from data attributes of
/// `<main>`.
#[derive(Clone, Debug)]
pub struct VaultContext {
    pub vault: String,
    pub role: Role,
    /// The id of the newest event when the page was rendered. Live events continue from it.
    pub since: i64,
    /// Maximum upload size, in bytes.
    pub max_file_size: u64,
}

impl VaultContext {
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
