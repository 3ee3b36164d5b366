//! `GET /auth/invites`

use std::cmp::Reverse;

use auth::{Caller, Interactive};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::InviteInfo;

use crate::{
    api::paging::{self, PageQuery},
    error::Problem,
    extract::Query,
    state::{Auth, Store},
};

/// List open invitations, newest first.
///
/// A user sees their own, an administrator sees all.
#[utoipa::path(get, path = "/auth/invites", tag = "Accounts", params(PageQuery),
    responses((status = 200, description = "A page of unused invitations.", body = [InviteInfo])))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    State(store): State<Store>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<(HeaderMap, Json<Vec<InviteInfo>>), Problem> {
    let invites = list_all(&auth, &store, &caller).await?;
    paging::page(&uri, &page, invites, |invite| {
        (Reverse(invite.created_at), invite.id.clone())
    })
}

pub(crate) async fn list_all(
    auth: &Auth,
    store: &Store,
    caller: &Caller,
) -> Result<Vec<InviteInfo>, Problem> {
    super::wire_invites(store, auth.invitations().invitations(caller).await?).await
}
