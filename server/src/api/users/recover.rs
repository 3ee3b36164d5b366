//! `POST /api/users/{username}/recover`

use auth::{Permitted, factor::AuditReason, service::OpenAccountAccess};
use axum::extract::State;
use http::StatusCode;
use wire::{ProblemBody, Recover};

use crate::{
    error::Problem,
    extract::{self, Body},
    state::Auth,
};

/// For somebody who has lost everything: take all second factors away and end all sessions. Make sure who asks. Not with a personal
/// access token.
#[utoipa::path(post, path = "/api/users/{username}/recover", tag = "Users",
    params(("username" = String, Path)), request_body = Recover,
    responses(
        (status = 204, description = "The password is what is left."),
        (status = 409, description = "One's own account.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<OpenAccountAccess>,
    State(auth): State<Auth>,
    extract::User(username): extract::User,
    Body(body): Body<Recover>,
) -> Result<StatusCode, Problem> {
    auth.reset_factors(&permit, &username, AuditReason::parse(&body.reason)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
