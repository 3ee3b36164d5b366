//! The page that the link in a letter leads to, when somebody gave another e-mail address.

use askama::Template;

use super::Shell;

/// `GET /confirm-email`, and what `POST /confirm-email` answers: `done`, or refused with a message. The link is
/// `/confirm-email#<token>`, so that the token is in no log. The form posts `token`.
#[derive(Debug, Template)]
#[template(path = "confirm-email.html")]
pub struct ConfirmEmailPage {
    pub shell: Shell,
    pub message: Option<String>,
    pub done: bool,
}
