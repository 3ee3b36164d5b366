//! `GET /api/files/{filename}/history`

use auth::Permitted;
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use serde::Deserialize;
use vault::action::Read;
use wire::Revision;

use crate::{
    api::paging,
    error::Problem,
    extract::{FilenameParam, Query},
    state::Vault,
    to_wire,
};

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
    State(vault): State<Vault>,
    FilenameParam(name): FilenameParam,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<HistoryQuery>,
) -> Result<(HeaderMap, Json<Vec<Revision>>), Problem> {
    let limit = paging::parse_limit(query.limit)?;
    let before = query.after.map(|after| after.parse()).transpose();
    let before = before.map_err(|_| paging::invalid_cursor())?;
    let mut revisions = vault.history(&permit, &name, before, limit + 1).await?;
    let mut headers = HeaderMap::new();
    if revisions.len() > limit as usize {
        revisions.truncate(limit as usize);
        if let Some(last) = revisions.last() {
            headers = paging::next_link(&uri, &last.revision.to_string());
        }
    }
    Ok((
        headers,
        Json(revisions.iter().map(to_wire::revision).collect()),
    ))
}
