//! `GET /api/changes`

use auth::Permitted;
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use serde::Deserialize;
use vault::action::Read;
use wire::Change;

use crate::{api::paging, error::Problem, extract::Query, state::Vault, to_wire};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// Changes with a greater number.
    #[param(minimum = 0)]
    since: Option<i64>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The cursor from the `Link` header of the previous page.
    after: Option<String>,
}

/// List the changes of a vault, oldest first.
///
/// The list has every revision of every file, as the git history does.
#[utoipa::path(get, path = "/api/vaults/{vault}/changes", tag = "Files",
    params(("vault" = String, Path), ChangesQuery),
    responses((status = 200, description = "A page of entries.", body = [Change])))]
pub async fn handle(
    Permitted(permit): Permitted<Read>,
    State(vault): State<Vault>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ChangesQuery>,
) -> Result<(HeaderMap, Json<Vec<Change>>), Problem> {
    let limit = paging::parse_limit(query.limit)?;
    let after = query.after.map(|after| after.parse::<i64>()).transpose();
    let after = after.map_err(|_| paging::invalid_cursor())?;
    let since = after.unwrap_or(query.since.unwrap_or(0)).max(0);
    let mut changes = vault.changes(&permit, since, limit + 1).await?;
    let mut headers = HeaderMap::new();
    if changes.len() > limit as usize {
        changes.truncate(limit as usize);
        if let Some(last) = changes.last() {
            headers = paging::next_link(&uri, &last.change.to_string());
        }
    }
    Ok((headers, Json(changes.iter().map(to_wire::change).collect())))
}
