//! `DELETE /api/vaults/{vault}/members/{username}`

use auth::{Permitted, service::ManageMembers};
use axum::extract::State;
use http::StatusCode;

use crate::{error::Problem, extract, state::Auth};

/// Take somebody's role in the vault away.
#[utoipa::path(delete, path = "/api/vaults/{vault}/members/{username}", tag = "Vaults",
    params(("vault" = String, Path), ("username" = String, Path)),
    responses((status = 204, description = "Done; felt by the next request and by open sockets.")))]
pub async fn handle(
    Permitted(permit): Permitted<ManageMembers>,
    State(auth): State<Auth>,
    extract::User(username): extract::User,
) -> Result<StatusCode, Problem> {
    auth.set_role(&permit, &username, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
