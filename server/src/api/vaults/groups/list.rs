//! `GET /api/vaults/{vault}/groups`

use auth::{Permitted, auth::SeeMembers};
use axum::{Json, extract::State};
use wire::GroupRole;

use crate::{error::Problem, state::Auth};

/// Groups with a role in the vault, by name.
#[utoipa::path(get, path = "/api/vaults/{vault}/groups", tag = "Vaults",
    params(("vault" = String, Path)),
    responses((status = 200, description = "Its groups.", body = [GroupRole])))]
pub async fn handle(
    Permitted(permit): Permitted<SeeMembers>,
    State(auth): State<Auth>,
) -> Result<Json<Vec<GroupRole>>, Problem> {
    let groups = auth.groups_in(&permit).await?.into_iter();
    Ok(Json(
        groups.map(|(group, role)| GroupRole { group: group.to_string(), role: role.as_str().to_owned() }).collect(),
    ))
}
