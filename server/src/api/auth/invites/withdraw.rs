//! `DELETE /auth/invites/{id}`

use auth::RecentlyAuthenticated;
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract::IdParam, state::Auth};

/// Withdraw an open invitation.
///
/// A user can withdraw their own, an administrator any.
#[utoipa::path(delete, path = "/auth/invites/{id}", tag = "Accounts",
    params(("id" = String, Path)),
    responses(
        (status = 204, description = "Withdrawn. The link no longer works."),
    ))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    IdParam(id): IdParam,
) -> Result<StatusCode, Problem> {
    auth.invitations().revoke_invitation(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
