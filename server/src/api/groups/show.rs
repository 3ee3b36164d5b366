//! `GET /api/groups/{group}`

use auth::{Permitted, actions::ReadAccounts};
use axum::{Json, extract::State};
use wire::GroupInfo;

use crate::{
    error::Problem,
    extract,
    state::{Auth, Store},
};

/// Show a group.
#[utoipa::path(get, path = "/api/groups/{group}", tag = "Groups",
    params(("group" = String, Path)),
    responses((status = 200, description = "The group.", body = GroupInfo)))]
pub async fn handle(
    Permitted(permit): Permitted<ReadAccounts>,
    State(auth): State<Auth>,
    State(store): State<Store>,
    extract::GroupParam(name): extract::GroupParam,
) -> Result<Json<GroupInfo>, Problem> {
    let group = auth.admin().group(&permit, &name).await?;
    Ok(Json(super::wire_group(&store, group).await?))
}
