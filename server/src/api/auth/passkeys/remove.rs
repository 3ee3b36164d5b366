//! `DELETE /auth/passkeys/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;
use wire::ProblemBody;

use super::Id;
use crate::{error::Problem, extract::From, state::Auth};

/// Take one of one's passkeys away. Every other session ends.
#[utoipa::path(delete, path = "/auth/passkeys/{id}", tag = "Accounts",
    params(("id" = String, Path, description = "As in the list.")),
    responses(
        (status = 204, description = "Gone."),
        (status = 404, description = "None of one's passkeys.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is the last second factor, and this installation asks for one.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    From(origin): From,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    auth.remove_passkey(&caller, &id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
