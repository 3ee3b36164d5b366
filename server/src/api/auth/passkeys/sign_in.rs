//! `POST /auth/passkeys/sign-in`

use std::sync::Arc;

use auth::{
    AuthError, SameOriginForm,
    error::FactorError,
    factor::passkey::{PasskeyError, PasskeyResponse},
};
use axum::extract::State;
use axum_extra::extract::CookieJar;
use http::StatusCode;
use wire::{PasskeyAssertion, ProblemBody};

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::{Auth, SiteInfo},
    web::cookie,
};

/// Sign in to the web pages with a passkey.
///
/// The session is a cookie.
#[utoipa::path(post, path = "/auth/passkeys/sign-in", tag = "Accounts", request_body = PasskeyAssertion, responses(
    (status = 204, description = "Signed in. The response sets the session cookie."),
    (status = 401, description = "The passkey was rejected. The response does not reveal the reason.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 403, description = "The request did not come from a page of this server.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 404, description = "Passkeys are not available at the public URL of this server.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 410, description = "The ceremony has expired, was used before, or belongs to another browser.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The request body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "The media type is not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = ProblemBody, content_type = "application/problem+json"),
))]
#[expect(
    clippy::too_many_arguments,
    reason = "one extractor for each part of the request"
)]
pub async fn handle(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    jar: CookieJar,
    JsonBody(body): JsonBody<PasskeyAssertion>,
) -> Result<(StatusCode, CookieJar), Problem> {
    let browser = cookie::read_passkey_browser(&site, &jar).ok_or(AuthError::Factor(
        FactorError::Passkey(PasskeyError::CeremonyExpired),
    ))?;
    let response = PasskeyResponse {
        ceremony: &body.ceremony,
        credential: &body.credential,
    };
    let signed_in = auth
        .passkeys()
        .finish_sign_in_with_passkey(response, &browser, origin)
        .await?;
    let jar = CookieJar::new().add(cookie::session(&site, &signed_in.secret));
    Ok((StatusCode::NO_CONTENT, jar))
}
