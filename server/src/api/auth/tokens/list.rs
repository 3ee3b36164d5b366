//! `GET /auth/tokens`

use std::cmp::Reverse;

use auth::{Caller, Interactive, Realm, Session};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use wire::PersonalToken;

use crate::{
    api::paging::{self, PageQuery},
    error::Problem,
    extract::Query,
    state::Auth,
};

/// List the personal access tokens of the account, newest first.
#[utoipa::path(get, path = "/auth/tokens", tag = "Accounts", params(PageQuery),
    responses((status = 200, description = "A page of live tokens, without their secrets.", body = [PersonalToken])))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<(HeaderMap, Json<Vec<PersonalToken>>), Problem> {
    let tokens = list_all(&auth, &caller).await?;
    paging::page(&uri, &page, tokens, |token| {
        (Reverse(token.created_at), token.id.clone())
    })
}

pub(crate) async fn list_all(auth: &Auth, caller: &Caller) -> Result<Vec<PersonalToken>, Problem> {
    let vaults = own_vaults(auth, caller).await?;
    let tokens = auth.personal_tokens().personal_tokens(caller).await?;
    Ok(tokens
        .into_iter()
        .map(|token| wire_token(token, &vaults))
        .collect())
}

pub(crate) async fn own_vaults(auth: &Auth, caller: &Caller) -> Result<Vec<Realm>, Problem> {
    Ok(auth
        .sessions()
        .realms_of(caller)
        .await?
        .into_iter()
        .map(|(vault, _)| vault)
        .collect())
}

/// The wire form. It omits vaults in which the owner no longer has a role; the token gives no
/// access to them either.
pub(crate) fn wire_token(token: Session, vaults: &[Realm]) -> PersonalToken {
    let name = |id: &auth::RealmId| {
        vaults
            .iter()
            .find(|vault| vault.id == *id)
            .map(|vault| vault.name.to_string())
    };
    PersonalToken {
        id: token.id.to_string(),
        scopes: token
            .scopes
            .iter()
            .map(|grant| grant.as_str().to_owned())
            .collect(),
        vaults: token
            .realms
            .as_ref()
            .map(|ids| ids.iter().filter_map(name).collect()),
        created_at: token.auth_time,
        last_used_at: Some(token.last_seen).filter(|seen| *seen > token.auth_time),
        expires_at: token.expires_at,
        name: token.label.unwrap_or_default(),
    }
}
