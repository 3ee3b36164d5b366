//! `GET /api/vaults/{vault}/groups`

use auth::{Permitted, actions::ReadMembers};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::GroupRole;

use crate::{
    api::paging::{self, PageQuery},
    error::Problem,
    extract::Query,
    state::Auth,
};

/// List the groups with a role in a vault, by name.
#[utoipa::path(get, path = "/api/vaults/{vault}/groups", tag = "Vaults",
    params(("vault" = String, Path), PageQuery),
    responses((status = 200, description = "A page of groups.", body = [GroupRole])))]
pub async fn handle(
    Permitted(permit): Permitted<ReadMembers>,
    State(auth): State<Auth>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<(HeaderMap, Json<Vec<GroupRole>>), Problem> {
    let groups = auth.admin().groups_in(&permit).await?.into_iter();
    let groups = groups
        .map(|(group, role)| GroupRole {
            group: group.to_string(),
            role: role.as_str().to_owned(),
        })
        .collect();
    paging::page(&uri, &page, groups, |role: &GroupRole| role.group.clone())
}
