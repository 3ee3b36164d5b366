//! `PATCH /auth/factors/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;
use wire::RenameFactor;

use super::FactorIdParam;
use crate::{error::Problem, extract::JsonBody, state::Auth};

/// Rename a second factor.
#[utoipa::path(patch, path = "/auth/factors/{id}", tag = "Second factors", params(("id" = String, Path)),
    request_body = RenameFactor, responses(
    (status = 204, description = "Renamed."),
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
