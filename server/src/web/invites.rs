//! The invitations page, for administrators and managers.

use askama::Template;
use jiff::Timestamp;
use wire::InviteInfo;

use super::{Shell, format};

/// `GET /admin/invites`, for administrators and managers of vaults. The handler supplies the answer
/// of `GET /auth/invites` and the vaults that the viewer can invite to.
#[derive(Debug, Template)]
#[template(path = "invites.html")]
pub struct InvitesPage {
    pub shell: Shell,
    pub invites: Vec<InviteInfo>,
    pub vaults: Vec<String>,
    /// Whether invitations can be used.
    pub is_open: bool,
    /// Whether the installation sends e-mail.
    pub sends_mail: bool,
}

impl InvitesPage {
    pub fn recipient<'a>(&self, invite: &'a InviteInfo) -> &'a str {
        invite.email.as_deref().unwrap_or("Anyone with the link")
    }

    pub fn choices(&self) -> [(&'static str, &'static str); 4] {
        [
            ("none", "No access"),
            ("viewer", "Viewer"),
            ("editor", "Editor"),
            ("manager", "Manager"),
        ]
    }

    /// Most invited users work on files in the main or only vault.
    pub fn is_first_choice(&self, vault: &str, value: &str) -> bool {
        let only = self.vaults.len() == 1 || vault == "main";
        value == if only { "editor" } else { "none" }
    }

    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }
}
