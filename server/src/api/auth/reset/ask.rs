//! `POST /auth/reset`

use auth::Anyone;
use axum::extract::State;
use http::StatusCode;
use wire::{AskReset, ProblemBody};

use crate::{
    error::Problem,
    extract::{Body, From},
    state::Auth,
};

/// Send a link that sets a new password to the address of an account. The answer does not say whether there is one.
#[utoipa::path(post, path = "/auth/reset", tag = "Accounts", request_body = AskReset, responses(
    (status = 202, description = "If there is such an account and it has an e-mail address, a letter is on its way."),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    From(origin): From,
    Body(body): Body<AskReset>,
) -> Result<StatusCode, Problem> {
    auth.request_reset(&body.account, &origin).await?;
    Ok(StatusCode::ACCEPTED)
}
