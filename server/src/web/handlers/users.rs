//! `GET /admin/users`

use auth::{
    Caller, Permitted, Username,
    actions::ReadAccounts,
    store::{AccountFilter, AccountQuery},
};
use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Deserialize;

use super::{enter::sign_up_availability, send, shell};
use crate::{api::users, error::Problem, extract::Query, state::AppState, web::UsersPage};

/// Accounts on one page.
const PAGE_ACCOUNTS: u32 = 50;

#[derive(Debug, Deserialize)]
pub(crate) struct UsersQuery {
    q: Option<String>,
    #[serde(default)]
    only: String,
    after: Option<String>,
}

pub(crate) async fn page(
    Permitted(permit): Permitted<ReadAccounts>,
    caller: Caller,
    State(state): State<AppState>,
    Query(query_params): Query<UsersQuery>,
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &caller, None).await?;
    let search = query_params
        .q
        .clone()
        .filter(|q| !q.trim().is_empty() && !q.contains('\0'));
    let after = query_params
        .after
        .as_deref()
        .and_then(|after| Username::parse(after).ok());
    let filter = AccountFilter::parse(&query_params.only);
    let mut members = state
        .auth
        .admin()
        .members(
            &permit,
            AccountQuery {
                search,
                filter: filter,
                after,
                limit: PAGE_ACCOUNTS + 1,
            },
        )
        .await?;
    let query = query_params.q.unwrap_or_default();
    let more = members.len() > PAGE_ACCOUNTS as usize;
    members.truncate(PAGE_ACCOUNTS as usize);
    let next = members.last().filter(|_| more).map(|last| {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs
            .append_pair("q", &query)
            .append_pair("only", filter.map_or("", AccountFilter::as_str));
        pairs.append_pair("after", last.account.username.as_str());
        format!("/admin/users?{}", pairs.finish())
    });
    let users = users::wire_users(&state.store, members).await?;
    let vaults = shell.vaults.clone();
    let registration = sign_up_availability(&state.site);
    send(
        StatusCode::OK,
        &UsersPage {
            shell,
            query,
            filter,
            users,
            vaults,
            next,
            registration,
        },
    )
}
