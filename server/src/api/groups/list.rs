//! `GET /api/groups`

use auth::{Permitted, actions::ReadAccounts};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::GroupInfo;

use crate::{
    api::paging::{self, PageQuery},
    error::Problem,
    extract::Query,
    state::{Auth, Store},
};

/// List groups by name.
#[utoipa::path(get, path = "/api/groups", tag = "Groups", params(PageQuery),
    responses((status = 200, description = "A page of the list.", body = [GroupInfo])))]
pub async fn handle(
    Permitted(permit): Permitted<ReadAccounts>,
    State(auth): State<Auth>,
    State(store): State<Store>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<(HeaderMap, Json<Vec<GroupInfo>>), Problem> {
    let groups = super::wire_groups(&store, auth.admin().groups(&permit).await?).await?;
    paging::page(&uri, &page, groups, |group| group.name.clone())
}
