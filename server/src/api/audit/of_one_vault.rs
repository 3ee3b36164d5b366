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

use super::AuditListQuery;
use crate::{error::Problem, extract::Query, state::AppState};

/// List the audit entries of a vault, newest first.
///
/// Administrators see the client address of every entry, other users only that of their own
/// entries.
#[utoipa::path(get, path = "/api/vaults/{vault}/audit", tag = "Audit",
    params(("vault" = String, Path), AuditListQuery),
    responses((status = 200, description = "A page of entries.", body = [AuditEntry])))]
pub async fn handle(
    Permitted(permit): Permitted<ReadRealmAudit>,
    caller: Caller,
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<AuditListQuery>,
) -> Result<(HeaderMap, Json<Vec<AuditEntry>>), Problem> {
    let (query, limit) = page.to_audit_query(Chain::Realm(permit.realm().id.clone()))?;
    let (headers, entries) = super::page(
        &uri,
        state
            .auth
            .admin()
            .realm_audit(&permit, &caller, query)
            .await?,
        limit,
    );
    Ok((
        headers,
        Json(super::wire_entries(&state.store, entries).await?),
    ))
}
