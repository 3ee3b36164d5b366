//! `POST /auth/introspect` (RFC 7662)

use auth::Caller;
use axum::{Json, extract::State};
use wire::{IntrospectionResponse, TokenError, TokenReference};

use crate::{
    error::{OAuthProblem, Problem},
    extract::Form,
    state::Auth,
};

/// Introspect a token (RFC 7662).
///
/// A user can introspect their own tokens, an administrator every token.
#[utoipa::path(post, path = "/auth/introspect", tag = "Accounts",
    request_body(content = TokenReference, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "`active` is true for a valid token. Other members are present only then.", body = IntrospectionResponse),
        (status = 400, description = "The form has no token.", body = TokenError),
        (status = 413, description = "The request body is too large.", body = TokenError),
        (status = 415, description = "The media type is not a form.", body = TokenError),
    ))]
pub async fn handle(
    caller: Caller,
    State(auth): State<Auth>,
    form: Result<Form, Problem>,
) -> Result<Json<IntrospectionResponse>, OAuthProblem> {
    let token = auth
        .oauth()
        .introspect(&caller, &form?.require("token")?)
        .await?;
    let mut response = IntrospectionResponse {
        active: token.is_some(),
        scope: None,
        client_id: None,
        username: None,
        sub: None,
        token_type: None,
        exp: None,
        iat: None,
    };
    if let Some(token) = token {
        response.scope = Some(token.scope);
        response.client_id = token.client;
        response.username = Some(token.username.to_string());
        response.sub = Some(token.username.to_string());
        response.token_type = Some(token.token_type.to_owned());
        response.exp = Some(token.expires_at.as_second());
        response.iat = Some(token.issued_at.as_second());
    }
    Ok(Json(response))
}
