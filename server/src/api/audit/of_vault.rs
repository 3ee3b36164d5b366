//! `GET /api/vaults/{vault}/audit`

use auth::{
    Caller, Permitted,
    audit::{Chain, query::ReadRealmAudit},
};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::AuditEntry;

use super::Asked;
use crate::{error::Problem, extract::Query, state::AppState};

/// What happened in the vault, newest first. From where is told to administrators, and to everybody of themself.
#[utoipa::path(get, path = "/api/vaults/{vault}/audit", tag = "Audit",
    params(("vault" = String, Path), Asked),
    responses((status = 200, description = "A page of it.", body = [AuditEntry])))]
pub async fn handle(
    Permitted(permit): Permitted<ReadRealmAudit>,
    caller: Caller,
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    Query(asked): Query<Asked>,
) -> Result<(HeaderMap, Json<Vec<AuditEntry>>), Problem> {
    let (query, limit) = asked.query(Chain::Realm(permit.realm().id.clone()))?;
    let (headers, entries) = super::page(
        &uri,
        state.auth.realm_audit(&permit, &caller, query).await?,
        limit,
    );
    Ok((headers, Json(super::shapes(&state.store, entries).await?)))
}
