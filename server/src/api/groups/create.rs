//! `POST /api/groups`

use auth::{GroupName, Permitted, actions::ManageAccounts};
use axum::{Json, extract::State};
use http::StatusCode;
use wire::{GroupInfo, NewGroup};

use crate::{
    error::Problem,
    extract::JsonBody,
    state::{Auth, Store},
};

/// Create a group.
///
/// Vaults give roles to groups.
#[utoipa::path(post, path = "/api/groups", tag = "Groups", request_body = NewGroup, responses(
    (status = 201, description = "The group, without members.", body = GroupInfo),
))]
pub async fn handle(
    Permitted(permit): Permitted<ManageAccounts>,
    State(auth): State<Auth>,
    State(store): State<Store>,
    JsonBody(body): JsonBody<NewGroup>,
) -> Result<(StatusCode, Json<GroupInfo>), Problem> {
    let name = GroupName::parse(&body.name).map_err(|error| Problem::invalid("/name", error))?;
    let group = auth.admin().create_group(&permit, &name).await?;
    Ok((
        StatusCode::CREATED,
        Json(super::wire_group(&store, group).await?),
    ))
}
