//! `POST /auth/revoke` (RFC 7009)

use auth::Anyone;
use axum::extract::State;
use http::StatusCode;
use wire::{OneToken, TokenError};

use crate::{
    error::{OAuthProblem, Problem},
    extract::{Form, From},
    state::Auth,
};

/// End the session that a token belongs to. 200 whatever the token was (RFC 7009 §2.2).
#[utoipa::path(post, path = "/auth/revoke", tag = "Accounts",
    request_body(content = OneToken, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "It opens nothing any more."),
        (status = 400, description = "There is no token in the form.", body = TokenError),
        (status = 413, description = "The body is too large.", body = TokenError),
        (status = 415, description = "Not a form.", body = TokenError),
        (status = 429, description = "Too many attempts.", body = TokenError),
    ))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    From(origin): From,
    form: Result<Form, Problem>,
) -> Result<StatusCode, OAuthProblem> {
    auth.revoke(&form?.need("token")?, &origin).await?;
    Ok(StatusCode::OK)
}
