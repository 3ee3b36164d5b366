//! `POST /auth/me/email/confirm`

use auth::Anyone;
use axum::extract::State;
use http::StatusCode;
use wire::{EmailLink, ProblemBody};

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
    (status = 403, description = "The link is invalid, used or expired.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The request body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "The media type is not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = ProblemBody, content_type = "application/problem+json"),
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
