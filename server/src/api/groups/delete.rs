//! `DELETE /api/groups/{group}`

use auth::{Permitted, service::ManageAccounts};
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract, state::Auth};

/// Delete a group. What it gave its members is gone at once.
#[utoipa::path(delete, path = "/api/groups/{group}", tag = "Groups",
    params(("group" = String, Path)),
    responses((status = 204, description = "Gone; felt by the next request and by open sockets.")))]
pub async fn handle(
    Permitted(permit): Permitted<ManageAccounts>,
    State(auth): State<Auth>,
    extract::Group(name): extract::Group,
) -> Result<StatusCode, Problem> {
    auth.delete_group(&permit, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
