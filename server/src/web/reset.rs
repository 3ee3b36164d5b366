//! A new password for who has forgotten the old one. Plain forms that work without a script.

use std::fmt;

use askama::Template;

use super::Shell;

/// `GET /forgot`, and `POST /forgot` with `asked`. The form posts `account`.
#[derive(Debug, Template)]
#[template(path = "forgot.html")]
pub struct ForgotPage {
    pub shell: Shell,
    pub message: Option<String>,
    pub sends_mail: bool,
    pub asked: bool,
}

/// `GET /reset`, and `POST /reset` when refused or done. The link is `/reset#<token>`, so that the token is in no log.
///
/// The form posts `token` and `password`. A refused password doesn't cost the token. Nobody is signed in by it.
#[derive(Template)]
#[template(path = "reset.html")]
pub struct ResetPage {
    pub shell: Shell,
    pub token: String,
    pub message: Option<String>,
    pub done: bool,
    /// The link is used or too old: there is nothing to fill in.
    pub over: bool,
    pub least: usize,
}

/// Without the code that it carries.
impl fmt::Debug for ResetPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetPage(…)")
    }
}
