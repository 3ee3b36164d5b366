//! `POST /api/groups`

use auth::{GroupName, Permitted, actions::ManageAccounts};
use axum::{Json, extract::State};
use http::StatusCode;
use wire::{GroupInfo, NewGroup, ProblemBody};

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
    (status = 409, description = "The name is taken.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The request body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "The media type is not JSON.", body = ProblemBody, content_type = "application/problem+json"),
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
