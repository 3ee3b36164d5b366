//! `POST /auth/reset/confirm`

use auth::{Anyone, Password};
use axum::extract::State;
use http::StatusCode;
use wire::{ConfirmReset, ProblemBody};

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Set a new password with a reset link.
///
/// All sessions and personal access tokens of the account end. The call creates no session.
#[utoipa::path(post, path = "/auth/reset/confirm", tag = "Accounts", request_body = ConfirmReset, responses(
    (status = 204, description = "The password is set."),
    (status = 403, description = "The link is invalid, used, replaced or expired.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The request body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "The media type is not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<ConfirmReset>,
) -> Result<StatusCode, Problem> {
    auth.passwords()
        .reset_password(&body.token, Password::new(body.new_password), &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
