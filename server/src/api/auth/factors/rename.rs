//! `PATCH /auth/factors/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;
use wire::{ProblemBody, RenameFactor};

use super::Which;
use crate::{error::Problem, extract::Body, state::Auth};

/// Call a second factor something else.
#[utoipa::path(patch, path = "/auth/factors/{id}", tag = "Second factors", params(("id" = String, Path)),
    request_body = RenameFactor, responses(
    (status = 204, description = "Renamed."),
    (status = 404, description = "There is none such.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    Which(id): Which,
    Body(body): Body<RenameFactor>,
) -> Result<StatusCode, Problem> {
    auth.rename_factor(&caller, &id, &body.name).await?;
    Ok(StatusCode::NO_CONTENT)
}
