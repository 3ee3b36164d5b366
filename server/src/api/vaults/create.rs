//! `POST /api/vaults`

use auth::{Permitted, RealmName};
use axum::{Json, extract::State};
use http::StatusCode;
use vault::action::CreateVault;
use wire::{NewVault, VaultInfo};

use crate::{error::Problem, extract::JsonBody, state::Vault};

/// Create a vault.
#[utoipa::path(post, path = "/api/vaults", tag = "Vaults", request_body = NewVault, responses(
    (status = 201, description = "The vault. You are its manager.", body = VaultInfo),
))]
pub async fn handle(
    Permitted(permit): Permitted<CreateVault>,
    State(vault): State<Vault>,
    JsonBody(body): JsonBody<NewVault>,
) -> Result<(StatusCode, Json<VaultInfo>), Problem> {
    let name = RealmName::parse(&body.name).map_err(|error| Problem::invalid("/name", error))?;
    let created = vault.create_vault(&permit, name).await?;
    Ok((
        StatusCode::CREATED,
        Json(VaultInfo {
            name: created.name.to_string(),
            role: "manager".to_owned(),
        }),
    ))
}
