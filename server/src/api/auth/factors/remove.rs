//! `DELETE /auth/factors/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;
use wire::ProblemBody;

use super::Which;
use crate::{error::Problem, extract::From, state::Auth};

/// Remove a second factor. Other sessions end; with the last factor, recovery codes go too.
#[utoipa::path(delete, path = "/auth/factors/{id}", tag = "Second factors", params(("id" = String, Path)), responses(
    (status = 204, description = "Gone."),
    (status = 404, description = "There is none such.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "The last one, and the installation asks for one.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    From(origin): From,
    Which(id): Which,
) -> Result<StatusCode, Problem> {
    auth.remove_factor(&caller, &id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
