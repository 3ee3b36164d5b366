//! `POST /auth/me/email/confirm`

use auth::Anyone;
use axum::extract::State;
use http::StatusCode;
use wire::EmailLink;

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Confirm a new e-mail address.
///
/// `token` is the part after `#` in the link that was sent to the address. The call creates no
/// session.
#[utoipa::path(post, path = "/auth/me/email/confirm", tag = "Accounts", request_body = EmailLink, responses(
    (status = 204, description = "The address is confirmed."),
))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<EmailLink>,
) -> Result<StatusCode, Problem> {
    auth.accounts().confirm_email(&body.token, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
