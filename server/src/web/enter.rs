//! Sign-in, registration and first administrator. The forms work without scripts.

use std::fmt;

use askama::Template;

use super::{ProviderButton, Shell};

/// `GET /sign-in`, and `POST /sign-in` after an error (with its status).
///
/// The form posts `username`, `password`, `next`. The handler supplies the entered username, `next`
/// through [`local_path`], and an error message. On success: the cookie and 303 to `next`.
#[derive(Debug, Template)]
#[template(path = "sign-in.html")]
pub struct SignInPage {
    pub shell: Shell,
    pub username: String,
    pub next: String,
    pub message: Option<String>,
    pub registration: SignUpAvailability,
    pub providers: Vec<ProviderButton>,
    /// The origin where passkeys work, if they are enabled.
    pub passkey_origin: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpAvailability {
    Open,
    /// By invitation or not at all. The page refers to an administrator.
    Closed,
}

/// `GET /sign-up`, and `POST /sign-up` after an error.
///
/// The form posts `username`, `display_name`, `email`, `password`. The handler supplies the entered
/// values, except the password. On success: signed in, and 303 to `/`.
#[derive(Debug, Template)]
#[template(path = "sign-up.html")]
pub struct SignUpPage {
    pub shell: Shell,
    pub username: String,
    pub display_name: String,
    pub email: String,
    pub message: Option<String>,
    pub registration: SignUpAvailability,
    /// Minimum length of a password, in characters.
    pub min_length: usize,
}

/// `GET /first`, and `POST /first` after an error. The printed link is `/first#<token>`, so that no
/// log contains the token.
///
/// The form posts `token`, `username`, `display_name`, `password`. The handler supplies the entered
/// values, including the token, because a rejected password does not consume it, and `message`.
/// `open` is false if an administrator exists. On success: signed in, and 303 to `/`.
#[derive(Template)]
#[template(path = "setup.html")]
pub struct SetupPage {
    pub shell: Shell,
    pub token: String,
    pub username: String,
    pub display_name: String,
    pub message: Option<String>,
    pub is_open: bool,
    pub min_length: usize,
}

impl SignInPage {
    pub fn can_register(&self) -> bool {
        self.registration == SignUpAvailability::Open
    }
}

impl SignUpPage {
    pub fn can_register(&self) -> bool {
        self.registration == SignUpAvailability::Open
    }
}

/// Limits `next` to a path on this server. Anything that a browser might read as another host
/// (`//x`, `/\x`, `https:`, control characters that it strips) becomes `/`. Prevents open
/// redirects.
#[must_use]
pub fn local_path(next: Option<&str>) -> &str {
    let Some(next) = next else { return "/" };
    let is_external =
        next.starts_with("//") || next.contains('\\') || next.contains(char::is_control);
    if next.starts_with('/') && !is_external {
        next
    } else {
        "/"
    }
}

/// Omits the secret token.
impl fmt::Debug for SetupPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupPage(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn sign_in_redirect_stays_on_own_server() {
        for hostile in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "evil",
            "",
        ] {
            assert_eq!(local_path(Some(hostile)), "/", "{hostile:?}");
        }
        assert_eq!(local_path(None), "/");
        assert_eq!(
            local_path(Some("/v/main/f/a%20b?x=1")),
            "/v/main/f/a%20b?x=1"
        );
    }
}
