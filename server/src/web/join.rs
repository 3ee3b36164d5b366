//! The target of an invitation link.

use std::fmt;

use askama::Template;

use super::Shell;

/// `GET /join`, and `POST /join` after an error. The link is `/join#<token>`, so that no log
/// contains the token.
///
/// The form posts `invite`, `username`, `display_name`, `email`, `password`. The handler supplies
/// the entered values, including the token, because a rejected password does not consume it. `open`
/// is false if registration is closed. On success: signed in, and 303 to `/`.
#[derive(Template)]
#[template(path = "accept-invitation.html")]
pub struct AcceptInvitationPage {
    pub shell: Shell,
    pub token: String,
    pub username: String,
    pub display_name: String,
    pub email: String,
    pub message: Option<String>,
    pub is_open: bool,
    pub min_length: usize,
}

/// Omits the secret token.
impl fmt::Debug for AcceptInvitationPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AcceptInvitationPage(…)")
    }
}
