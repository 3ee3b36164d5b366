//! `GET /api/users`

use auth::{
    Permitted, Username,
    actions::ReadAccounts,
    store::{AccountFilter, AccountQuery},
};
use axum::{
    Json,
    extract::{OriginalUri, State},
};
use http::HeaderMap;
use serde::Deserialize;
use wire::User;

use crate::{
    api::paging,
    error::Problem,
    extract::Query,
    state::{Auth, Store},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserListQuery {
    /// A part of the username, display name or e-mail address.
    q: Option<String>,
    #[param(value_type = Option<wire::UserFilter>)]
    only: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The cursor from the `Link` header of the previous page.
    after: Option<String>,
}

/// List accounts by username.
#[utoipa::path(get, path = "/api/users", tag = "Users", params(UserListQuery),
    responses((status = 200, description = "A page of the list.", body = [User])))]
pub async fn handle(
    Permitted(permit): Permitted<ReadAccounts>,
    State(auth): State<Auth>,
    State(store): State<Store>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<UserListQuery>,
) -> Result<(HeaderMap, Json<Vec<User>>), Problem> {
    let limit = paging::parse_limit(query.limit)?;
    let after = query.after.as_deref().map(Username::parse).transpose();
    let after = after.map_err(|_| paging::invalid_cursor())?;
    let search = query.q.filter(|q| !q.is_empty());
    if search.as_ref().is_some_and(|q| q.contains('\0')) {
        return Err(Problem::invalid(
            "#q",
            "The search text must not contain NUL.",
        ));
    }
    let filter = query
        .only
        .as_deref()
        .map(|only| AccountFilter::parse(only).ok_or_else(|| unknown_filter(only)))
        .transpose()?;
    let mut members = auth
        .admin()
        .members(
            &permit,
            AccountQuery {
                search,
                filter,
                after,
                limit: limit + 1,
            },
        )
        .await?;
    let mut headers = HeaderMap::new();
    if members.len() > limit as usize {
        members.truncate(limit as usize);
        if let Some(last) = members.last() {
            headers = paging::next_link(&uri, last.account.username.as_str());
        }
    }
    Ok((headers, Json(super::wire_users(&store, members).await?)))
}

fn unknown_filter(only: &str) -> Problem {
    let known = AccountFilter::ALL.map(AccountFilter::as_str).join(", ");
    let only: String = only.chars().take(40).collect();
    Problem::invalid(
        "#only",
        format!("The filter “{only}” does not exist. The filters are {known}."),
    )
}
