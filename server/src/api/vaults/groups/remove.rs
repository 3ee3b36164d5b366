//! `DELETE /api/vaults/{vault}/groups/{group}`

use auth::{Permitted, actions::ManageMembers};
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract, state::Auth};

/// Remove the role of a group in a vault.
#[utoipa::path(delete, path = "/api/vaults/{vault}/groups/{group}", tag = "Vaults",
    params(("vault" = String, Path), ("group" = String, Path)),
    responses((status = 204, description = "Changed. The change applies to the next request and to open event streams.")))]
pub async fn handle(
    Permitted(permit): Permitted<ManageMembers>,
    State(auth): State<Auth>,
    extract::GroupParam(name): extract::GroupParam,
) -> Result<StatusCode, Problem> {
    auth.admin().set_group_role(&permit, &name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
