//! `PUT /api/vaults/{vault}/members/{username}`

use auth::{Permitted, Role, service::ManageMembers};
use axum::extract::State;
use http::StatusCode;
use wire::{ProblemBody, SetRole};

use crate::{
    error::Problem,
    extract::{self, Body},
    state::Auth,
};

/// Give somebody a role in the vault, in place of the one they had.
#[utoipa::path(put, path = "/api/vaults/{vault}/members/{username}", tag = "Vaults",
    params(("vault" = String, Path), ("username" = String, Path)), request_body = SetRole,
    responses(
        (status = 204, description = "Done; felt by the next request and by open sockets."),
        (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<ManageMembers>,
    State(auth): State<Auth>,
    extract::User(username): extract::User,
    Body(body): Body<SetRole>,
) -> Result<StatusCode, Problem> {
    let role = Role::parse(&body.role);
    let role =
        role.ok_or_else(|| Problem::invalid("/role", "A role is viewer, editor or manager."))?;
    auth.set_role(&permit, &username, Some(role)).await?;
    Ok(StatusCode::NO_CONTENT)
}
