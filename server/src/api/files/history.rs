//! `GET /api/files/{filename}/history`

use auth::{Permitted, Realm};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use serde::Deserialize;
use vault::{LockOverride, VaultError, action::Read};
use wire::Revision;

use crate::{
    api::paging,
    error::Problem,
    extract::{FilenameParam, Query},
    state::{AppState, Store},
    to_wire,
};

/// The broken locks of the file that these revisions are of.
pub(crate) async fn overrides_of(
    store: &Store,
    vault: &Realm,
    revisions: &[vault::Revision],
) -> Result<Vec<LockOverride>, Problem> {
    let Some(newest) = revisions.first() else {
        return Ok(Vec::new());
    };
    let broken = store.overrides_of_file(&vault.id, &newest.file).await;
    Ok(broken.map_err(VaultError::Store)?)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The cursor from the `Link` header of the previous page.
    after: Option<String>,
}

/// List the revisions of a file, newest first.
///
/// A deleted file has a history until its name is used again.
#[utoipa::path(get, path = "/api/vaults/{vault}/files/{filename}/history", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), HistoryQuery),
    responses((status = 200, description = "A page of the list.", body = [Revision])))]
pub async fn handle(
    Permitted(permit): Permitted<Read>,
    State(state): State<AppState>,
    FilenameParam(name): FilenameParam,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<HistoryQuery>,
) -> Result<(HeaderMap, Json<Vec<Revision>>), Problem> {
    let limit = paging::parse_limit(query.limit)?;
    let before = query.after.map(|after| after.parse()).transpose();
    let before = before.map_err(|_| paging::invalid_cursor())?;
    let mut revisions = state
        .vault
        .history(&permit, &name, before, limit + 1)
        .await?;
    let mut headers = HeaderMap::new();
    if revisions.len() > limit as usize {
        revisions.truncate(limit as usize);
        if let Some(last) = revisions.last() {
            headers = paging::next_link(&uri, &last.revision.to_string());
        }
    }
    let overrides = overrides_of(&state.store, permit.realm(), &revisions).await?;
    Ok((headers, Json(to_wire::history(&revisions, &overrides))))
}
