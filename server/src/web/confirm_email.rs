//! The target of the confirmation link for a new e-mail address.

use askama::Template;

use super::Shell;

/// `GET /confirm-email`, and the response of `POST /confirm-email`: `done`, or a message. The link
/// is `/confirm-email#<token>`, so that no log contains the token. The form posts `token`.
#[derive(Debug, Template)]
#[template(path = "confirm-email.html")]
pub struct ConfirmEmailPage {
    pub shell: Shell,
    pub message: Option<String>,
    pub done: bool,
}
