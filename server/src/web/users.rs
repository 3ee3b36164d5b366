//! Accounts and rights, for administrators.

use askama::Template;
use auth::store::Among;
use jiff::Timestamp;
use wire::User;

use super::{Registration, Shell, format};

/// `GET /admin/users`, administrators only.
///
/// The handler supplies one page of `GET /api/users`, narrowed to the `?q=` and `?only=` it got, every vault's name,
/// and the address of the next page.
#[derive(Debug, Template)]
#[template(path = "users.html")]
pub struct UsersPage {
    pub shell: Shell,
    pub query: String,
    pub among: Option<Among>,
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

    /// So few that everybody's roles can be chosen in the list; more are told in it and chosen on a person's page.
    pub fn has_few_vaults(&self) -> bool {
        self.vaults.len() <= 2
    }

    pub fn can_register(&self) -> bool {
        self.registration == Registration::Open
    }

    /// Which accounts may be asked for: the word, the text, and whether they are shown now.
    pub fn lists(&self) -> Vec<(&'static str, &'static str, bool)> {
        let lists = Among::ALL
            .into_iter()
            .map(|among| (among.as_str(), in_words(among), self.among == Some(among)));
        std::iter::once(("", "Everybody", self.among.is_none()))
            .chain(lists)
            .collect()
    }

    /// `App, passkey`, or that there is none.
    pub fn factors(&self, user: &User) -> String {
        factors(&user.second_factors)
    }

    /// The role in a vault, or `none`.
    pub fn role<'a>(&self, user: &'a User, vault: &str) -> &'a str {
        user.roles.get(vault).map_or("none", String::as_str)
    }

    pub fn has_role(&self, user: &User, vault: &str, role: &str) -> bool {
        self.role(user, vault) == role
    }

    pub fn choices(&self) -> [(&'static str, &'static str); 4] {
        [
            ("none", "No access"),
            ("viewer", "Viewer"),
            ("editor", "Editor"),
            ("manager", "Manager"),
        ]
    }

    pub fn is_self(&self, user: &User) -> bool {
        self.shell
            .viewer
            .as_ref()
            .is_some_and(|viewer| viewer.username == user.username)
    }

    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }
}

fn in_words(among: Among) -> &'static str {
    match among {
        Among::Active => "Active",
        Among::Disabled => "Disabled",
        Among::Administrators => "Administrators",
        Among::WithoutSecondFactor => "Without a second factor",
        Among::LockedOut => "Locked out",
        Among::ResetRequired => "Must set a new password",
    }
}

/// What somebody shows besides the password.
pub(super) fn factors(kinds: &[String]) -> String {
    let words = kinds.iter().map(|kind| match kind.as_str() {
        "totp" => "authenticator app",
        kind => kind,
    });
    let words: Vec<_> = words.collect();
    if words.is_empty() {
        "no second factor".to_owned()
    } else {
        words.join(", ")
    }
}
