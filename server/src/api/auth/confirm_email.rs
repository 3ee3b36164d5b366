//! `POST /auth/me/email/confirm`

use auth::Anyone;
use axum::extract::State;
use http::StatusCode;
use wire::{EmailLink, ProblemBody};

use crate::{
    error::Problem,
    extract::{Body, From},
    state::Auth,
};

/// Confirm a new e-mail address with what stands after the # in the link that went there. Nobody is signed in by it.
#[utoipa::path(post, path = "/auth/me/email/confirm", tag = "Accounts", request_body = EmailLink, responses(
    (status = 204, description = "The address counts."),
    (status = 403, description = "The link is not good, or not any more.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    From(origin): From,
    Body(body): Body<EmailLink>,
) -> Result<StatusCode, Problem> {
    auth.confirm_email(&body.token, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
