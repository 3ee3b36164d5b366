//! `GET /auth/authorize` (RFC 6749 §4.1.1): a client requests authorization in the browser of the
//! user.

use std::fmt;

use askama::Template;
use auth::{Caller, OAuthError, OptionalCaller};
use axum::{
    Extension,
    extract::{RawQuery, State},
    response::{Html, IntoResponse, Redirect, Response},
};
use http::StatusCode;
use wire::{Authorize, ConsentDecision};

use crate::{
    api::auth::authorize::{find_client, redirect_url, validate_request},
    error::Problem,
    extract::Form,
    middleware::response::RequestId,
    state::{AppState, SiteInfo},
    web::{
        Shell,
        pages::{allow_page, error_page, send, shell},
    },
};

/// A description of each scope.
const SCOPE_DESCRIPTIONS: [(&str, &str); 4] = [
    (
        "files:read",
        "List and download files, and see history and events.",
    ),
    (
        "files:write",
        "Check out, check in, add, describe, move and restore files; delete files if your role \
         allows it.",
    ),
    (
        "locks:override",
        "Override locks of other users if your role allows it.",
    ),
    (
        "admin",
        "Manage accounts, members and vaults within your own rights.",
    ),
];

/// `GET /auth/authorize`, after the request was validated.
#[derive(Debug, Template)]
#[template(path = "authorize.html")]
pub struct AuthorizePage {
    pub shell: Shell,
    pub username: String,
    pub client_name: String,
    pub scopes: Vec<String>,
    /// The host or scheme of the redirect URI.
    pub redirect_host: String,
}

impl AuthorizePage {
    pub fn scope_descriptions(&self) -> Vec<(&'static str, &'static str)> {
        SCOPE_DESCRIPTIONS
            .into_iter()
            .filter(|(scope, _)| self.scopes.iter().any(|requested| requested == scope))
            .collect()
    }
}

/// `GET /device`. A code in the query only fills in the form. It is looked up on submit, so that
/// other sites cannot use up the attempts of the user.
#[derive(Template)]
#[template(path = "device.html")]
pub struct DevicePage {
    pub shell: Shell,
    pub user_code: String,
}

impl DevicePage {
    pub fn scopes(&self) -> [(&'static str, &'static str); 4] {
        SCOPE_DESCRIPTIONS
    }
}

/// Omits the secret token.
impl fmt::Debug for DevicePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DevicePage(…)")
    }
}

pub(crate) async fn page(
    OptionalCaller(caller): OptionalCaller,
    State(state): State<AppState>,
    Extension(id): Extension<RequestId>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let request = match parse_query(&query) {
        Ok(request) => request,
        Err(problem) => return Ok(error_response(&state, caller, &problem, &id).await),
    };
    let client = match find_client(&state.auth, &request.client_id, &request.redirect_uri) {
        Ok(client) => client,
        Err(problem) => return Ok(error_response(&state, caller, &problem, &id).await),
    };
    // The redirect URI is verified now, so errors can be sent to the client.
    let validated = match validate_request(&state.auth, client, &request) {
        Ok(validated) => validated,
        Err(error) => return Ok(redirect_error(&request, &state.site, error)),
    };
    let Some(caller) = caller else {
        let next =
            percent_encoding::utf8_percent_encode(&query, percent_encoding::NON_ALPHANUMERIC);
        return Ok(
            Redirect::to(&format!("/sign-in?next=%2Fauth%2Fauthorize%3F{next}")).into_response(),
        );
    };
    caller.require_unrestricted()?;
    let page = AuthorizePage {
        shell: shell(&state.auth, &state.store, &caller, None).await?,
        username: caller.account().username.to_string(),
        client_name: validated.client().name().to_owned(),
        scopes: validated
            .grants()
            .iter()
            .map(|grant| grant.as_str().to_owned())
            .collect(),
        redirect_host: redirect_host(&request.redirect_uri).to_owned(),
    };
    send(StatusCode::OK, &page)
}

/// A repeated parameter is an error (RFC 6749 §3.1).
fn parse_query(query: &str) -> Result<Authorize, Problem> {
    let mut form = Form::parse(query.as_bytes())?;
    Ok(Authorize {
        client_id: form.require("client_id")?,
        redirect_uri: form.require("redirect_uri")?,
        response_type: form.take("response_type"),
        response_mode: form.take("response_mode"),
        scope: form.take("scope"),
        state: form.take("state"),
        code_challenge: form.take("code_challenge"),
        code_challenge_method: form.take("code_challenge_method"),
        decision: ConsentDecision::Deny,
    })
}

fn redirect_error(request: &Authorize, site: &SiteInfo, error: OAuthError) -> Response {
    let issuer = &site.config.public_url;
    Redirect::to(&redirect_url(
        &request.redirect_uri,
        request.state.as_deref(),
        issuer,
        Err(error),
    ))
    .into_response()
}

async fn error_response(
    state: &AppState,
    caller: Option<Caller>,
    problem: &Problem,
    RequestId(id): &RequestId,
) -> Response {
    let shell = match caller {
        Some(caller) => shell(&state.auth, &state.store, &caller, None).await,
        None => Ok(Shell::default()),
    };
    let (shell, status) = (shell.unwrap_or_default(), problem.status());
    let mut response = (
        status,
        Html(error_page(shell, status, &problem.detail(), id)),
    )
        .into_response();
    allow_page(response.headers_mut());
    response
}

/// The host, or the scheme if the client is an app on this machine.
fn redirect_host(uri: &str) -> &str {
    match uri.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?']).next().unwrap_or(rest),
        None => uri.split(':').next().unwrap_or(uri),
    }
}
