//! Letting a program in: one that has a browser at hand (RFC 6749 §4.1.1), or a device that has none (RFC 8628 §3.3).

use std::fmt;

use askama::Template;

use super::Shell;

/// What each scope lets a program do, in words.
const SCOPES: [(&str, &str); 4] = [
    ("files:read", "See names, history and events, and download."),
    (
        "files:write",
        "Check out and in, add, describe, move, restore; delete where you may.",
    ),
    ("locks:override", "Break locks of others, where you may."),
    (
        "admin",
        "What you may do as a manager or administrator: accounts, members, vaults.",
    ),
];

/// `GET /auth/authorize`, once everything about the request was found right.
#[derive(Debug, Template)]
#[template(path = "authorize.html")]
pub struct AuthorizePage {
    pub shell: Shell,
    pub username: String,
    pub program: String,
    pub scopes: Vec<String>,
    /// Where the browser goes afterwards, as people read it.
    pub back_to: String,
}

impl AuthorizePage {
    pub fn explained(&self) -> Vec<(&'static str, &'static str)> {
        SCOPES
            .into_iter()
            .filter(|(scope, _)| self.scopes.iter().any(|asked| asked == scope))
            .collect()
    }
}

/// `GET /device`. The code is what the address said, if it said one: it is only looked up when somebody goes on, so
/// that no other page can use up anybody's tries.
#[derive(Template)]
#[template(path = "device.html")]
pub struct DevicePage {
    pub shell: Shell,
    pub user_code: String,
}

impl DevicePage {
    pub fn scopes(&self) -> [(&'static str, &'static str); 4] {
        SCOPES
    }
}

/// Without the code that it carries.
impl fmt::Debug for DevicePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DevicePage(…)")
    }
}
