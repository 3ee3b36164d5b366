//! `DELETE /auth/tokens/{id}`

use auth::Interactive;
use axum::extract::State;
use http::StatusCode;

use crate::{api::auth::sessions::end::SessionIdParam, error::Problem, state::Auth};

/// Revoke a personal access token.
#[utoipa::path(delete, path = "/auth/tokens/{id}", tag = "Accounts",
    params(("id" = String, Path, description = "The id from the list.")),
    responses(
        (status = 204, description = "Revoked."),
    ))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    SessionIdParam(id): SessionIdParam,
) -> Result<StatusCode, Problem> {
    auth.personal_tokens()
        .end_personal_token(&caller, &id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
