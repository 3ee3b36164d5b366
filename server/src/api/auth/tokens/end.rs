//! `DELETE /auth/tokens/{id}`

use auth::Interactive;
use axum::extract::State;
use http::StatusCode;
use wire::ProblemBody;

use crate::{api::auth::sessions::end::Id, error::Problem, state::Auth};

/// End one of one's personal access tokens.
#[utoipa::path(delete, path = "/auth/tokens/{id}", tag = "Accounts",
    params(("id" = String, Path, description = "As in the list.")),
    responses(
        (status = 204, description = "It opens nothing any more."),
        (status = 404, description = "None of one's live tokens.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    auth.end_personal_token(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
