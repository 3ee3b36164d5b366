//! `POST /auth/passkeys/sign-in`

use std::sync::Arc;

use auth::{
    AuthError, SameOriginForm,
    error::FactorError,
    factor::passkey::{PasskeyError, PasskeyResponse},
};
use axum::extract::State;
use axum_extra::extract::CookieJar;
use http::{HeaderMap, StatusCode};
use wire::PasskeyAssertion;

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::{Auth, SiteInfo},
    web::{
        cookie::{CookieKind, Stay},
        start_session,
    },
};

/// Sign in to the web pages with a passkey.
///
/// The session is a cookie.
#[utoipa::path(post, path = "/auth/passkeys/sign-in", tag = "Accounts", request_body = PasskeyAssertion, responses(
    (status = 204, description = "Signed in. The response sets the session cookie."),
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
    headers: HeaderMap,
    JsonBody(body): JsonBody<PasskeyAssertion>,
) -> Result<(StatusCode, CookieJar), Problem> {
    let browser = CookieKind::PasskeyBrowser
        .read(&site, &headers)
        .ok_or(AuthError::Factor(FactorError::Passkey(
            PasskeyError::CeremonyExpired,
        )))?;
    let response = PasskeyResponse {
        ceremony: &body.ceremony,
        credential: &body.credential,
    };
    let signed_in = auth
        .passkeys()
        .finish_sign_in_with_passkey(response, &browser, origin)
        .await?;
    let stay = if body.stay_signed_in {
        Stay::SignedIn
    } else {
        Stay::UntilBrowserCloses
    };
    let session = start_session(&auth, &site, &signed_in, stay).await?;
    let jar = CookieJar::new().add(session);
    Ok((StatusCode::NO_CONTENT, jar))
}
