//! `POST /auth/revoke` (RFC 7009)

use auth::Anyone;
use axum::extract::State;
use http::StatusCode;
use wire::{TokenError, TokenReference};

use crate::{
    error::{OAuthProblem, Problem},
    extract::{ClientOrigin, Form},
    state::Auth,
};

/// Revoke a token (RFC 7009).
///
/// The session of the token ends. The response is 200 for unknown tokens too (RFC 7009 §2.2).
#[utoipa::path(post, path = "/auth/revoke", tag = "Accounts",
    request_body(content = TokenReference, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Revoked."),
        (status = 400, description = "The form has no token.", body = TokenError),
        (status = 413, description = "The request body is too large.", body = TokenError),
        (status = 415, description = "The media type is not a form.", body = TokenError),
        (status = 429, description = "Too many attempts.", body = TokenError),
    ))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    form: Result<Form, Problem>,
) -> Result<StatusCode, OAuthProblem> {
    auth.oauth()
        .revoke(&form?.require("token")?, &origin)
        .await?;
    Ok(StatusCode::OK)
}
