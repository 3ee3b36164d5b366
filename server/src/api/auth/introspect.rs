//! `POST /auth/introspect` (RFC 7662)

use auth::Caller;
use axum::{Json, extract::State};
use wire::{Introspected, OneToken, TokenError};

use crate::{
    error::{OAuthProblem, Problem},
    extract::Form,
    state::Auth,
};

/// Introspect a token (RFC 7662).
///
/// A user can introspect their own tokens, an administrator every token.
#[utoipa::path(post, path = "/auth/introspect", tag = "Accounts",
    request_body(content = OneToken, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "`active` is true for a valid token. Other members are present only then.", body = Introspected),
        (status = 400, description = "The form has no token.", body = TokenError),
        (status = 413, description = "The request body is too large.", body = TokenError),
        (status = 415, description = "The media type is not a form.", body = TokenError),
    ))]
pub async fn handle(
    caller: Caller,
    State(auth): State<Auth>,
    form: Result<Form, Problem>,
) -> Result<Json<Introspected>, OAuthProblem> {
    let found = auth
        .oauth()
        .introspect(&caller, &form?.need("token")?)
        .await?;
    let mut answer = Introspected {
        active: found.is_some(),
        scope: None,
        client_id: None,
        username: None,
        sub: None,
        token_type: None,
        exp: None,
        iat: None,
    };
    if let Some(found) = found {
        answer.scope = Some(found.scope);
        answer.client_id = found.client;
        answer.username = Some(found.username.to_string());
        answer.sub = Some(found.username.to_string());
        answer.token_type = Some(found.token_type.to_owned());
        answer.exp = Some(found.expires_at.as_second());
        answer.iat = Some(found.issued_at.as_second());
    }
    Ok(Json(answer))
}
