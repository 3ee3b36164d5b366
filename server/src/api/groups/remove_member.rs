//! `DELETE /api/groups/{group}/members/{username}`

use auth::{Permitted, actions::ManageAccounts};
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract, state::Auth};

/// Remove a user from a group.
#[utoipa::path(delete, path = "/api/groups/{group}/members/{username}", tag = "Groups",
    params(("group" = String, Path), ("username" = String, Path)),
    responses((status = 204, description = "Changed. The change applies to the next request and to open event streams.")))]
pub async fn handle(
    Permitted(permit): Permitted<ManageAccounts>,
    State(auth): State<Auth>,
    extract::GroupParam(name): extract::GroupParam,
    extract::UsernameParam(username): extract::UsernameParam,
) -> Result<StatusCode, Problem> {
    auth.admin()
        .remove_from_group(&permit, &name, &username)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
