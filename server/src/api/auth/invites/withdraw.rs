//! `DELETE /auth/invites/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;
use wire::ProblemBody;

use crate::{error::Problem, extract::Id, state::Auth};

/// Withdraw an invitation: one's own; anybody's as an administrator.
#[utoipa::path(delete, path = "/auth/invites/{id}", tag = "Accounts",
    params(("id" = String, Path)),
    responses(
        (status = 204, description = "Its link is good for nothing."),
        (status = 404, description = "None of one's open invitations.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    auth.revoke_invitation(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
