//! `POST /auth/reset/confirm`

use auth::{Anyone, Password};
use axum::extract::State;
use http::StatusCode;
use wire::{ConfirmReset, ProblemBody};

use crate::{
    error::Problem,
    extract::{Body, From},
    state::Auth,
};

/// Set a new password with a link. Every session of the account ends, and its personal access tokens; nobody is signed
/// in by it.
#[utoipa::path(post, path = "/auth/reset/confirm", tag = "Accounts", request_body = ConfirmReset, responses(
    (status = 204, description = "The password is set."),
    (status = 403, description = "The link is used, replaced or too old.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    From(origin): From,
    Body(body): Body<ConfirmReset>,
) -> Result<StatusCode, Problem> {
    auth.reset_password(&body.token, Password::new(body.new_password), &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
