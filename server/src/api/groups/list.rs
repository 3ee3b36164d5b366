//! `GET /api/groups`

use auth::{Permitted, service::ReadAccounts};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::GroupInfo;

use crate::{
    api::paging::{self, Asked},
    error::Problem,
    extract::Query,
    state::{Auth, Store},
};

/// List groups by name.
#[utoipa::path(get, path = "/api/groups", tag = "Groups", params(Asked),
    responses((status = 200, description = "A page of the list.", body = [GroupInfo])))]
pub async fn handle(
    Permitted(permit): Permitted<ReadAccounts>,
    State(auth): State<Auth>,
    State(store): State<Store>,
    OriginalUri(uri): OriginalUri,
    Query(asked): Query<Asked>,
) -> Result<(HeaderMap, Json<Vec<GroupInfo>>), Problem> {
    let groups = super::infos(&store, auth.admin().groups(&permit).await?).await?;
    paging::page(&uri, &asked, groups, |group| group.name.clone())
}
