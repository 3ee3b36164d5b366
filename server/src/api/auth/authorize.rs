//! `POST /auth/authorize`: the decision on the consent page of the same path.

use std::sync::Arc;

use auth::{AuthError, AuthorizationRequest, Client, Interactive, OAuthError, error::TokenError};
use axum::{Json, extract::State};
use wire::{Authorize, AuthorizeRedirect, ConsentDecision};

use crate::{
    error::Problem,
    extract::JsonBody,
    state::{Auth, SiteInfo},
};

/// Approve or deny an authorization request (RFC 6749 §4.1.1, RFC 7636).
///
/// Approval needs a recent sign-in.
#[utoipa::path(post, path = "/auth/authorize", tag = "Accounts", request_body = Authorize, responses(
    (status = 200, description = "The redirect URI for the browser, with a code or an error for the client.", body = AuthorizeRedirect),
))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    JsonBody(body): JsonBody<Authorize>,
) -> Result<Json<AuthorizeRedirect>, Problem> {
    let client = find_client(&auth, &body.client_id, &body.redirect_uri)?;
    let outcome_of_request = match (validate_request(&auth, client, &body), body.decision) {
        (Err(error), _) => Err(error),
        (Ok(_), ConsentDecision::Deny) => Err(OAuthError::AccessDenied),
        (Ok(request), ConsentDecision::Approve) => {
            caller.require_recent()?;
            match auth.oauth().authorize(&caller, request).await {
                Err(AuthError::Token(TokenError::OAuth(error))) => Err(error),
                code => Ok(code?),
            }
        }
    };
    let outcome = outcome_of_request
        .as_ref()
        .map(auth::Token::expose)
        .map_err(|error| *error);
    let redirect_to = redirect_url(
        &body.redirect_uri,
        body.state.as_deref(),
        &site.config.public_url,
        outcome,
    );
    Ok(Json(AuthorizeRedirect { redirect_to }))
}

/// The client registered with this redirect URI. Responses go to registered URIs only.
pub(crate) fn find_client<'a>(
    auth: &'a Auth,
    client: &str,
    redirect_uri: &str,
) -> Result<&'a Client, Problem> {
    auth.oauth()
        .client_for(client, redirect_uri)
        .map_err(|error| Problem::Auth(error.into()))
}

pub(crate) fn validate_request(
    auth: &Auth,
    client: &Client,
    request: &Authorize,
) -> Result<AuthorizationRequest, OAuthError> {
    let challenge = (
        request.code_challenge.as_deref(),
        request.code_challenge_method.as_deref(),
    );
    let response = (
        request.response_type.as_deref(),
        request.response_mode.as_deref(),
    );
    auth.oauth().validate_request(
        client,
        &request.redirect_uri,
        response,
        request.scope.as_deref(),
        challenge,
    )
}

/// RFC 6749 §4.1.2 and §4.1.2.1, with the issuer (RFC 9207). The caller has validated `uri`.
pub(crate) fn redirect_url(
    uri: &str,
    state: Option<&str>,
    issuer: &str,
    outcome: Result<&str, OAuthError>,
) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    match outcome {
        Ok(code) => pairs.append_pair("code", code),
        Err(error) => pairs
            .append_pair("error", error.code())
            .append_pair("error_description", &error.to_string()),
    };
    if let Some(state) = state {
        pairs.append_pair("state", state);
    }
    let separator = if uri.contains('?') { '&' } else { '?' };
    format!(
        "{uri}{separator}{}",
        pairs.append_pair("iss", issuer).finish()
    )
}
