//! `DELETE /api/vaults/{vault}/members/{username}`

use auth::{Permitted, actions::ManageMembers};
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract, state::Auth};

/// Remove the role of a user in a vault.
#[utoipa::path(delete, path = "/api/vaults/{vault}/members/{username}", tag = "Vaults",
    params(("vault" = String, Path), ("username" = String, Path)),
    responses((status = 204, description = "Changed. The change applies to the next request and to open event streams.")))]
pub async fn handle(
    Permitted(permit): Permitted<ManageMembers>,
    State(auth): State<Auth>,
    extract::UsernameParam(username): extract::UsernameParam,
) -> Result<StatusCode, Problem> {
    auth.admin().set_role(&permit, &username, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
