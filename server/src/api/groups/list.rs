//! `GET /api/groups`

use auth::{Permitted, auth::SeeAccounts};
use axum::{Json, extract::State};
use wire::GroupInfo;

use crate::{
    error::Problem,
    state::{Auth, Store},
};

/// Every group, by name.
#[utoipa::path(get, path = "/api/groups", tag = "Groups",
    responses((status = 200, description = "All of them.", body = [GroupInfo])))]
pub async fn handle(
    Permitted(permit): Permitted<SeeAccounts>,
    State(auth): State<Auth>,
    State(store): State<Store>,
) -> Result<Json<Vec<GroupInfo>>, Problem> {
    let groups = auth.groups(&permit).await?;
    Ok(Json(super::infos(&store, groups).await?))
}
