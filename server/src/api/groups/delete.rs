//! `DELETE /api/groups/{group}`

use auth::{Permitted, actions::ManageAccounts};
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract, state::Auth};

/// Delete a group.
///
/// Its members lose the roles of the group at once.
#[utoipa::path(delete, path = "/api/groups/{group}", tag = "Groups",
    params(("group" = String, Path)),
    responses((status = 204, description = "Deleted. The change applies to the next request and to open event streams.")))]
pub async fn handle(
    Permitted(permit): Permitted<ManageAccounts>,
    State(auth): State<Auth>,
    extract::GroupParam(name): extract::GroupParam,
) -> Result<StatusCode, Problem> {
    auth.admin().delete_group(&permit, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
