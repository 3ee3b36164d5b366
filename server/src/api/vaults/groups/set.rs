//! `PUT /api/vaults/{vault}/groups/{group}`

use auth::{Permitted, Role, actions::ManageMembers};
use axum::extract::State;
use http::StatusCode;
use wire::SetRole;

use crate::{
    error::Problem,
    extract::{self, JsonBody},
    state::Auth,
};

/// Set the role of a group in a vault.
#[utoipa::path(put, path = "/api/vaults/{vault}/groups/{group}", tag = "Vaults",
    params(("vault" = String, Path), ("group" = String, Path)), request_body = SetRole,
    responses(
        (status = 204, description = "Changed. The change applies to the next request and to open event streams."),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<ManageMembers>,
    State(auth): State<Auth>,
    extract::GroupParam(name): extract::GroupParam,
    JsonBody(body): JsonBody<SetRole>,
) -> Result<StatusCode, Problem> {
    let role = Role::parse(&body.role);
    let role = role
        .ok_or_else(|| Problem::invalid("/role", "The role must be viewer, editor or manager."))?;
    auth.admin()
        .set_group_role(&permit, &name, Some(role))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
