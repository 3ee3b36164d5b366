//! `PUT /api/vaults/{vault}/members/{username}`

use auth::{Permitted, Role, actions::ManageMembers};
use axum::extract::State;
use http::StatusCode;
use wire::SetRole;

use crate::{
    error::Problem,
    extract::{self, JsonBody},
    state::Auth,
};

/// Set the role of a user in a vault.
#[utoipa::path(put, path = "/api/vaults/{vault}/members/{username}", tag = "Vaults",
    params(("vault" = String, Path), ("username" = String, Path)), request_body = SetRole,
    responses(
        (status = 204, description = "Changed. The change applies to the next request and to open event streams."),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<ManageMembers>,
    State(auth): State<Auth>,
    extract::UsernameParam(username): extract::UsernameParam,
    JsonBody(body): JsonBody<SetRole>,
) -> Result<StatusCode, Problem> {
    let role = Role::parse(&body.role);
    let role = role
        .ok_or_else(|| Problem::invalid("/role", "The role must be viewer, editor or manager."))?;
    auth.admin()
        .set_role(&permit, &username, Some(role))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
