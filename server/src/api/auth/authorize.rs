//! `POST /auth/authorize`: the decision on the consent page of the same path.

use std::sync::Arc;

use auth::{AuthError, AuthorizationRequest, Client, Interactive, OAuthError};
use axum::{Json, extract::State};
use wire::{Authorize, Authorized, ProblemBody, Verdict};

use crate::{
    error::Problem,
    extract::Body,
    state::{Auth, Site},
};

/// Approve or deny an authorization request (RFC 6749 §4.1.1, RFC 7636).
///
/// Approval needs a recent sign-in.
#[utoipa::path(post, path = "/auth/authorize", tag = "Accounts", request_body = Authorize, responses(
    (status = 200, description = "The redirect URI for the browser, with a code or an error for the client.", body = Authorized),
    (status = 413, description = "The request body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "The media type is not JSON.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    State(site): State<Arc<Site>>,
    Body(body): Body<Authorize>,
) -> Result<Json<Authorized>, Problem> {
    let client = known(&auth, &body.client_id, &body.redirect_uri)?;
    let answer = match (check(&auth, client, &body), body.decision) {
        (Err(refused), _) => Err(refused),
        (Ok(_), Verdict::Deny) => Err(OAuthError::AccessDenied),
        (Ok(wanted), Verdict::Approve) => {
            caller.require_recent()?;
            match auth.oauth().authorize(&caller, wanted).await {
                Err(AuthError::OAuth(refused)) => Err(refused),
                code => Ok(code?),
            }
        }
    };
    let outcome = answer
        .as_ref()
        .map(auth::Token::expose)
        .map_err(|refused| *refused);
    let redirect_to = redirect(
        &body.redirect_uri,
        body.state.as_deref(),
        &site.config.public_url,
        outcome,
    );
    Ok(Json(Authorized { redirect_to }))
}

/// The client that is registered with this redirect URI. No response goes to another URI.
pub(crate) fn known<'a>(
    auth: &'a Auth,
    client: &str,
    redirect_uri: &str,
) -> Result<&'a Client, Problem> {
    auth.oauth()
        .client_for(client, redirect_uri)
        .map_err(|refused| Problem::Auth(refused.into()))
}

pub(crate) fn check(
    auth: &Auth,
    client: &Client,
    asked: &Authorize,
) -> Result<AuthorizationRequest, OAuthError> {
    let challenge = (
        asked.code_challenge.as_deref(),
        asked.code_challenge_method.as_deref(),
    );
    let response = (
        asked.response_type.as_deref(),
        asked.response_mode.as_deref(),
    );
    auth.oauth().validate_request(
        client,
        &asked.redirect_uri,
        response,
        asked.scope.as_deref(),
        challenge,
    )
}

/// RFC 6749 §4.1.2 and §4.1.2.1, with the issuer (RFC 9207). The caller has validated `uri`.
pub(crate) fn redirect(
    uri: &str,
    state: Option<&str>,
    issuer: &str,
    outcome: Result<&str, OAuthError>,
) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    match outcome {
        Ok(code) => pairs.append_pair("code", code),
        Err(why) => pairs
            .append_pair("error", why.code())
            .append_pair("error_description", &why.to_string()),
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
