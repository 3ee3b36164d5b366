//! `GET /api/throttle`

use std::cmp::Reverse;

use auth::{Permitted, throttle::lockouts::ReadLockouts};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::Lockout;

use crate::{
    api::paging::{self, PageQuery},
    error::Problem,
    extract::Query,
    state::Auth,
};

/// List sign-in lockouts and recent failures of accounts and networks, latest first.
///
/// The list has the latest 1,000. It omits usernames without an account.
#[utoipa::path(get, path = "/api/throttle", tag = "Throttle", params(PageQuery),
    responses((status = 200, description = "A page of accounts and networks.", body = [Lockout])))]
pub async fn handle(
    Permitted(permit): Permitted<ReadLockouts>,
    State(auth): State<Auth>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<(HeaderMap, Json<Vec<Lockout>>), Problem> {
    let lockouts = auth
        .admin()
        .lockouts(&permit)
        .await?
        .into_iter()
        .map(super::wire_lockout)
        .collect();
    paging::page(&uri, &page, lockouts, |it: &Lockout| {
        (
            Reverse(it.last_at),
            it.account.clone(),
            it.secret.clone(),
            it.from.clone(),
            it.network.clone(),
        )
    })
}
