//! `DELETE /api/vaults/{vault}/groups/{group}`

use auth::{Permitted, service::ManageMembers};
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract, state::Auth};

/// Take a group's role in the vault away.
#[utoipa::path(delete, path = "/api/vaults/{vault}/groups/{group}", tag = "Vaults",
    params(("vault" = String, Path), ("group" = String, Path)),
    responses((status = 204, description = "Done; felt by the next request and by open sockets.")))]
pub async fn handle(
    Permitted(permit): Permitted<ManageMembers>,
    State(auth): State<Auth>,
    extract::Group(name): extract::Group,
) -> Result<StatusCode, Problem> {
    auth.set_group_role(&permit, &name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
