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
    api::paging::{self, Asked},
    error::Problem,
    extract::Query,
    state::{Auth, Store},
};

/// List open invitations, newest first.
///
/// A user sees their own, an administrator sees all.
#[utoipa::path(get, path = "/auth/invites", tag = "Accounts", params(Asked),
    responses((status = 200, description = "A page of unused invitations.", body = [InviteInfo])))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    State(store): State<Store>,
    OriginalUri(uri): OriginalUri,
    Query(asked): Query<Asked>,
) -> Result<(HeaderMap, Json<Vec<InviteInfo>>), Problem> {
    let invites = all(&auth, &store, &caller).await?;
    paging::page(&uri, &asked, invites, |invite| {
        (Reverse(invite.created_at), invite.id.clone())
    })
}

pub(crate) async fn all(
    auth: &Auth,
    store: &Store,
    caller: &Caller,
) -> Result<Vec<InviteInfo>, Problem> {
    super::infos(store, auth.invitations().invitations(caller).await?).await
}
