//! `PATCH /auth/factors/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;
use wire::{ProblemBody, RenameFactor};

use super::FactorIdParam;
use crate::{error::Problem, extract::JsonBody, state::Auth};

/// Rename a second factor.
#[utoipa::path(patch, path = "/auth/factors/{id}", tag = "Second factors", params(("id" = String, Path)),
    request_body = RenameFactor, responses(
    (status = 204, description = "Renamed."),
    (status = 404, description = "The account has no such factor.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The request body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "The media type is not JSON.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    FactorIdParam(id): FactorIdParam,
    JsonBody(body): JsonBody<RenameFactor>,
) -> Result<StatusCode, Problem> {
    auth.factors()
        .rename_factor(&caller, &id, &body.name)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
