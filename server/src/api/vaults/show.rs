//! `GET /api/vaults/{vault}`

use auth::{Caller, HasAuth};
use axum::{Json, extract::State};
use http::request::Parts;
use wire::VaultInfo;

use crate::{
    error::Problem,
    state::{AppState, Auth},
};

/// The vault of the URL.
#[derive(Debug)]
pub struct VaultParam(auth::RealmName);

impl axum::extract::FromRequestParts<AppState> for VaultParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(state.realm_of(parts)?))
    }
}

/// Show a vault in which you have a role.
#[utoipa::path(get, path = "/api/vaults/{vault}", tag = "Vaults",
    params(("vault" = String, Path)),
    responses(
        (status = 200, description = "The vault and your role in it.", body = VaultInfo),
    ))]
pub async fn handle(
    caller: Caller,
    State(auth): State<Auth>,
    VaultParam(name): VaultParam,
) -> Result<Json<VaultInfo>, Problem> {
    let vaults = auth.sessions().realms_of(&caller).await?;
    let membership = vaults.into_iter().find(|(vault, _)| vault.name == name);
    let (vault, role) = membership.ok_or(auth::AuthError::Access(
        auth::error::AccessError::RealmNotFound,
    ))?;
    Ok(Json(VaultInfo {
        name: vault.name.to_string(),
        role: role.as_str().to_owned(),
    }))
}
