//! Accounts and rights, for administrators.

use askama::Template;
use jiff::Timestamp;
use wire::User;

use super::{Registration, Shell, format};

/// `GET /admin/users`, administrators only.
///
/// The handler supplies one page of `GET /api/users`, narrowed to the `?q=` it got, every vault's name, and the
/// address of the next page.
#[derive(Debug, Template)]
#[template(path = "users.html")]
pub struct UsersPage {
    pub shell: Shell,
    pub query: String,
    pub users: Vec<User>,
    pub vaults: Vec<String>,
    pub next: Option<String>,
    pub registration: Registration,
}

impl UsersPage {
    /// What somebody calls themselves, where that is something else than the username.
    pub fn display_name<'a>(&self, user: &'a User) -> Option<&'a str> {
        user.display_name.as_deref().filter(|name| !name.is_empty())
    }

    pub fn user_url(&self, user: &User) -> String {
        format!("/admin/users/{}", format::segment(&user.username))
    }

    pub fn can_register(&self) -> bool {
        self.registration == Registration::Open
    }

    /// The role in a vault, or `none`.
    pub fn role<'a>(&self, user: &'a User, vault: &str) -> &'a str {
        user.roles.get(vault).map_or("none", String::as_str)
    }

    pub fn has_role(&self, user: &User, vault: &str, role: &str) -> bool {
        self.role(user, vault) == role
    }

    pub fn choices(&self) -> [(&'static str, &'static str); 4] {
        [("none", "No access"), ("viewer", "Viewer"), ("editor", "Editor"), ("manager", "Manager")]
    }

    pub fn is_self(&self, user: &User) -> bool {
        self.shell.viewer.as_ref().is_some_and(|viewer| viewer.username == user.username)
    }

    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }
}
