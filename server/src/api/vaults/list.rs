//! `GET /api/vaults`

use auth::Caller;
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::VaultInfo;

use crate::{
    api::paging::{self, PageQuery},
    error::Problem,
    extract::Query,
    state::Auth,
};

/// List the vaults in which you have a role, by name.
#[utoipa::path(get, path = "/api/vaults", tag = "Vaults", params(PageQuery),
    responses((status = 200, description = "A page of vaults.", body = [VaultInfo])))]
pub async fn handle(
    caller: Caller,
    State(auth): State<Auth>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<(HeaderMap, Json<Vec<VaultInfo>>), Problem> {
    let vaults = auth.sessions().realms_of(&caller).await?;
    let info = |(vault, role): (auth::Realm, auth::Role)| VaultInfo {
        name: vault.name.to_string(),
        role: role.as_str().to_owned(),
    };
    paging::page(
        &uri,
        &page,
        vaults.into_iter().map(info).collect(),
        |vault| vault.name.clone(),
    )
}
