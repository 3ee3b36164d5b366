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
    api::paging::{self, Asked},
    error::Problem,
    extract::Query,
    state::Auth,
};

/// Who has to wait, or had to, after too many failures; latest first; the latest 1,000 are known. Names that
/// are nobody's are not listed.
#[utoipa::path(get, path = "/api/throttle", tag = "Throttle", params(Asked),
    responses((status = 200, description = "A page of accounts and networks.", body = [Lockout])))]
pub async fn handle(
    Permitted(permit): Permitted<ReadLockouts>,
    State(auth): State<Auth>,
    OriginalUri(uri): OriginalUri,
    Query(asked): Query<Asked>,
) -> Result<(HeaderMap, Json<Vec<Lockout>>), Problem> {
    let lockouts = auth
        .lockouts(&permit)
        .await?
        .into_iter()
        .map(super::lockout)
        .collect();
    paging::page(&uri, &asked, lockouts, |it: &Lockout| {
        (
            Reverse(it.last_at),
            it.account.clone(),
            it.secret.clone(),
            it.from.clone(),
            it.network.clone(),
        )
    })
}
