//! Consent pages: for apps with a browser (RFC 6749 §4.1.1) and for devices without one (RFC 8628
//! §3.3).

use std::fmt;

use askama::Template;

use super::Shell;

/// A description of each scope.
const SCOPE_DESCRIPTIONS: [(&str, &str); 4] = [
    (
        "files:read",
        "List and download files, and see history and events.",
    ),
    (
        "files:write",
        "Check out, check in, add, describe, move and restore files; delete files if your role \
         allows it.",
    ),
    (
        "locks:override",
        "Override locks of other users if your role allows it.",
    ),
    (
        "admin",
        "Manage accounts, members and vaults within your own rights.",
    ),
];

/// `GET /auth/authorize`, after the request was validated.
#[derive(Debug, Template)]
#[template(path = "authorize.html")]
pub struct AuthorizePage {
    pub shell: Shell,
    pub username: String,
    pub client_name: String,
    pub scopes: Vec<String>,
    /// The host or scheme of the redirect URI.
    pub redirect_host: String,
}

impl AuthorizePage {
    pub fn scope_descriptions(&self) -> Vec<(&'static str, &'static str)> {
        SCOPE_DESCRIPTIONS
            .into_iter()
            .filter(|(scope, _)| self.scopes.iter().any(|requested| requested == scope))
            .collect()
    }
}

/// `GET /device`. A code in the query only fills in the form. It is looked up on submit, so that
/// other sites cannot use up the attempts of the user.
#[derive(Template)]
#[template(path = "device.html")]
pub struct DevicePage {
    pub shell: Shell,
    pub user_code: String,
}

impl DevicePage {
    pub fn scopes(&self) -> [(&'static str, &'static str); 4] {
        SCOPE_DESCRIPTIONS
    }
}

/// Omits the secret token.
impl fmt::Debug for DevicePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DevicePage(…)")
    }
}
