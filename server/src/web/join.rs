//! The page that an invitation leads to.

use std::fmt;

use askama::Template;

use super::Shell;

/// `GET /join`, and `POST /join` when refused. The link is `/join#<token>`, so that the token is in no log.
///
/// The form posts `invite`, `username`, `display_name`, `email`, `password`. The handler supplies what was typed (the
/// token too, so that a refused password doesn't cost it); `open` false where nobody may register at all. On success:
/// signed in, and 303 to `/`.
#[derive(Template)]
#[template(path = "accept-invitation.html")]
pub struct JoinPage {
    pub shell: Shell,
    pub token: String,
    pub username: String,
    pub display_name: String,
    pub email: String,
    pub message: Option<String>,
    pub open: bool,
    pub least: usize,
}

/// Without the code that it carries.
impl fmt::Debug for JoinPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinPage(…)")
    }
}
