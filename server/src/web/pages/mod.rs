//! The page handlers. Each calls the domain and fills a page.

pub(crate) mod accept_invitation;
pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod authorize;
pub(crate) mod columns;
pub(crate) mod confirm_email;
pub(crate) mod deleted;
pub(crate) mod device;
pub(crate) mod docs;
pub(crate) mod error;
pub(crate) mod factors;
pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod groups;
pub(crate) mod invites;
pub(crate) mod lockouts;
pub(crate) mod mfa;
pub(crate) mod no_vault;
pub(crate) mod notices;
pub(crate) mod password_reset;
pub(crate) mod security;
pub(crate) mod setup;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
pub(crate) mod tokens;
pub(crate) mod upstream;
pub(crate) mod user;
pub(crate) mod users;
pub(crate) mod vault;

use auth::{Caller, OptionalCaller, Role};
use axum::{
    extract::FromRequestParts as _,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};

use super::{CONTENT_SECURITY_POLICY, ErrorPage, Page, Shell, Viewer};
use crate::{
    error::Problem,
    state::{AppState, Auth, Store},
};

/// Sends a page with its content security policy.
fn send(status: StatusCode, page: &impl Page) -> Result<Response, Problem> {
    let html = page
        .html()
        .map_err(|error| Problem::Internal(error.to_string()))?;
    let mut response = (status, Html(html)).into_response();
    allow_page(response.headers_mut());
    Ok(response)
}

pub(crate) fn allow_page(headers: &mut HeaderMap) {
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    );
}

/// An error as a page. `shell` keeps the menu of a signed-in user.
pub(crate) fn error_page(shell: Shell, status: StatusCode, detail: &str, id: &str) -> String {
    let page = ErrorPage {
        shell,
        status: status.as_u16(),
        detail: detail.to_owned(),
        request_id: id.to_owned(),
    };
    page.html().unwrap_or_else(|_| detail.len().to_string())
}

/// The header of an error page: of the signed-in user if there is one, and the store answers.
pub(crate) async fn error_shell(state: &AppState, mut parts: Parts) -> Shell {
    // The failed request is judged already; this only reads who sent it.
    parts.method = Method::GET;
    match OptionalCaller::from_request_parts(&mut parts, state).await {
        Ok(OptionalCaller(Some(caller))) => shell(&state.auth, &state.store, &caller, None)
            .await
            .unwrap_or_default(),
        _ => Shell::default(),
    }
}

/// The header of a page for a signed-in user.
async fn shell(
    auth: &Auth,
    store: &Store,
    caller: &Caller,
    vault: Option<&str>,
) -> Result<Shell, Problem> {
    let account = caller.account();
    let vaults = auth.sessions().realms_of(caller).await?;
    let manages = account.administrator || vaults.iter().any(|(_, role)| *role >= Role::Manager);
    let notices = notices::of_caller(store, caller, &vaults).await?;
    Ok(Shell {
        viewer: Some(Viewer {
            username: account.username.to_string(),
            display_name: account
                .display_name
                .as_ref()
                .map(|name| name.as_str().to_owned()),
            is_admin: account.administrator,
            manages,
        }),
        vault: vault.map(ToOwned::to_owned),
        vaults: vaults
            .into_iter()
            .map(|(vault, _)| vault.name.to_string())
            .collect(),
        notices,
        proper_url: None,
    })
}
