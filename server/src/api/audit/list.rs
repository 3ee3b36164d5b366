//! `GET /api/audit`

use std::net::IpAddr;

use auth::{
    AuthError, Permitted, RealmName,
    audit::{AuditQuery, Chain, query::ReadAudit},
    error::AccessError,
};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use serde::Deserialize;
use wire::AuditEntry;

use super::AuditListQuery;
use crate::{
    error::Problem,
    extract::Query,
    state::{Auth, Store},
};

/// The audit log to read.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditFilterQuery {
    /// The name of a vault. Without it, the log of the accounts.
    pub(crate) vault: Option<String>,
    /// The exact client address.
    #[param(value_type = Option<String>, example = "192.0.2.1")]
    pub(crate) address: Option<IpAddr>,
}

/// List audit entries of the accounts or of one vault, newest first.
#[utoipa::path(get, path = "/api/audit", tag = "Audit", params(AuditFilterQuery, AuditListQuery),
    responses((status = 200, description = "A page of entries.", body = [AuditEntry])))]
#[expect(
    clippy::too_many_arguments,
    reason = "one extractor for each part of the request"
)]
pub async fn handle(
    Permitted(permit): Permitted<ReadAudit>,
    State(auth): State<Auth>,
    State(store): State<Store>,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<AuditFilterQuery>,
    Query(page): Query<AuditListQuery>,
) -> Result<(HeaderMap, Json<Vec<AuditEntry>>), Problem> {
    let (query, limit) = page.to_audit_query(parse_chain(&auth, &filter).await?)?;
    let query = AuditQuery {
        address: filter.address,
        ..query
    };
    let (headers, entries) = super::page(&uri, auth.admin().audit(&permit, query).await?, limit);
    Ok((headers, Json(super::wire_entries(&store, entries).await?)))
}

pub(crate) async fn parse_chain(auth: &Auth, filter: &AuditFilterQuery) -> Result<Chain, Problem> {
    let Some(name) = filter.vault.as_deref().filter(|name| !name.is_empty()) else {
        return Ok(Chain::Accounts);
    };
    let name = RealmName::parse(name).map_err(|_| AuthError::Access(AccessError::RealmNotFound))?;
    let realm = auth
        .sessions()
        .realm(&name)
        .await?
        .ok_or(AuthError::Access(AccessError::RealmNotFound))?;
    Ok(Chain::Realm(realm.id))
}
