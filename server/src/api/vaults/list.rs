//! `GET /api/vaults`

use auth::Caller;
use axum::{Json, extract::State};
use wire::VaultInfo;

use crate::{error::Problem, state::Auth};

/// The vaults in which one has a role, by name.
#[utoipa::path(get, path = "/api/vaults", tag = "Vaults",
    responses((status = 200, description = "One's vaults.", body = [VaultInfo])))]
pub async fn handle(caller: Caller, State(auth): State<Auth>) -> Result<Json<Vec<VaultInfo>>, Problem> {
    let vaults = auth.realms_of(&caller).await?;
    let info = |(vault, role): (auth::Realm, auth::Role)| VaultInfo {
        name: vault.name.to_string(),
        role: role.as_str().to_owned(),
    };
    Ok(Json(vaults.into_iter().map(info).collect()))
}
