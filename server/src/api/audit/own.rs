//! `GET /auth/audit`

use auth::{Interactive, audit::Chain};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::AuditEntry;

use super::AuditListQuery;
use crate::{
    error::Problem,
    extract::Query,
    state::{Auth, Store},
};

/// List the audit entries of which the caller is actor or subject, newest first.
#[utoipa::path(get, path = "/auth/audit", tag = "Audit", params(AuditListQuery),
    responses((status = 200, description = "A page of entries.", body = [AuditEntry])))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    State(store): State<Store>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<AuditListQuery>,
) -> Result<(HeaderMap, Json<Vec<AuditEntry>>), Problem> {
    let (query, limit) = page.to_audit_query(Chain::Accounts)?;
    let (headers, entries) = super::page(
        &uri,
        auth.accounts().own_audit(&caller, query).await?,
        limit,
    );
    Ok((headers, Json(super::wire_entries(&store, entries).await?)))
}
