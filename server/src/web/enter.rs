//! The ways in: sign in, sign up, the first administrator. Plain forms that work without a script.

use std::fmt;

use askama::Template;

use super::{ProviderButton, Shell};

/// `GET /sign-in`, and `POST /sign-in` when refused (with the status of the refusal).
///
/// The form posts `username`, `password`, `next`. The handler supplies the username that was typed, `next` through
/// [`local_path`], and what went wrong. On success: the cookie and 303 to `next`.
#[derive(Debug, Template)]
#[template(path = "sign-in.html")]
pub struct SignInPage {
    pub shell: Shell,
    pub username: String,
    pub next: String,
    pub message: Option<String>,
    pub registration: Registration,
    pub providers: Vec<ProviderButton>,
    /// The origin where passkeys work, if they do.
    pub passkeys: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    Open,
    /// By invitation, or not at all: the page says whom to ask.
    Closed,
}

/// `GET /sign-up`, and `POST /sign-up` when refused.
///
/// The form posts `username`, `display_name`, `email`, `password`. The handler supplies what was typed, but never the
/// password. On success: signed in, and 303 to `/`.
#[derive(Debug, Template)]
#[template(path = "sign-up.html")]
pub struct SignUpPage {
    pub shell: Shell,
    pub username: String,
    pub display_name: String,
    pub email: String,
    pub message: Option<String>,
    pub registration: Registration,
    /// Characters of a password at least.
    pub least: usize,
}

/// `GET /first`, and `POST /first` when refused. The printed link is `/first#<token>`, so that the token is in no log.
///
/// The form posts `token`, `username`, `display_name`, `password`. The handler supplies what was typed (the token
/// too, so that a refused password doesn't cost it), and `message`; `open` false where there is an administrator
/// already. On success: signed in, and 303 to `/`.
#[derive(Template)]
#[template(path = "setup.html")]
pub struct FirstPage {
    pub shell: Shell,
    pub token: String,
    pub username: String,
    pub display_name: String,
    pub message: Option<String>,
    pub open: bool,
    pub least: usize,
}

impl SignInPage {
    pub fn can_register(&self) -> bool {
        self.registration == Registration::Open
    }
}

impl SignUpPage {
    pub fn can_register(&self) -> bool {
        self.registration == Registration::Open
    }
}

/// Where `next` may send somebody: a path on this server, or `/`. Everything a browser might read as another host
/// (`//x`, `/\x`, `https:`, control characters that it strips) is `/`.
#[must_use]
pub fn local_path(next: Option<&str>) -> &str {
    let Some(next) = next else { return "/" };
    let elsewhere =
        next.starts_with("//") || next.contains('\\') || next.contains(char::is_control);
    if next.starts_with('/') && !elsewhere {
        next
    } else {
        "/"
    }
}

/// Without the code that it carries.
impl fmt::Debug for FirstPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FirstPage(…)")
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
