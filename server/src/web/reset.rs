//! Password reset. The forms work without scripts.

use std::fmt;

use askama::Template;

use super::Shell;

/// `GET /forgot`, and `POST /forgot` with `asked` set. The form posts `account`.
#[derive(Debug, Template)]
#[template(path = "forgot.html")]
pub struct ForgotPage {
    pub shell: Shell,
    pub message: Option<String>,
    pub sends_mail: bool,
    pub is_requested: bool,
}

/// `GET /reset`, and `POST /reset` after an error or when done. The link is `/reset#<token>`, so
/// that no log contains the token.
///
/// The form posts `token` and `password`. A rejected password does not consume the token. A reset
/// does not sign in.
#[derive(Template)]
#[template(path = "reset.html")]
pub struct ResetPage {
    pub shell: Shell,
    pub token: String,
    pub message: Option<String>,
    pub done: bool,
    /// The link is used or expired, so the page shows no form.
    pub is_link_invalid: bool,
    pub min_length: usize,
}

/// Omits the secret token.
impl fmt::Debug for ResetPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetPage(…)")
    }
}
