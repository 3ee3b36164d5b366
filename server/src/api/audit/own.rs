//! `GET /auth/audit`

use auth::{Interactive, audit::Chain};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::AuditEntry;

use super::Asked;
use crate::{
    error::Problem,
    extract::Query,
    state::{Auth, Store},
};

/// List the audit entries of which the caller is actor or subject, newest first.
#[utoipa::path(get, path = "/auth/audit", tag = "Audit", params(Asked),
    responses((status = 200, description = "A page of entries.", body = [AuditEntry])))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    State(store): State<Store>,
    OriginalUri(uri): OriginalUri,
    Query(asked): Query<Asked>,
) -> Result<(HeaderMap, Json<Vec<AuditEntry>>), Problem> {
    let (query, limit) = asked.query(Chain::Accounts)?;
    let (headers, entries) = super::page(
        &uri,
        auth.accounts().own_audit(&caller, query).await?,
        limit,
    );
    Ok((headers, Json(super::shapes(&store, entries).await?)))
}
