//! `POST /auth/passkeys/second-step`

use std::sync::Arc;

use auth::{SameOriginForm, factor::passkey::PasskeyResponse};
use axum::extract::State;
use axum_extra::extract::CookieJar;
use http::{HeaderMap, StatusCode};
use wire::PasskeyAssertion;

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::{Auth, SiteInfo},
    web::{
        cookie::{self, Stay},
        pages::mfa,
        start_session,
    },
};

/// Complete a browser sign-in with a passkey as second factor.
///
/// The session is a cookie.
#[utoipa::path(post, path = "/auth/passkeys/second-step", tag = "Second factors", request_body = PasskeyAssertion, responses(
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
    let response = PasskeyResponse {
        ceremony: &body.ceremony,
        credential: &body.credential,
    };
    let signed_in = auth
        .passkeys()
        .finish_passkey_mfa(&mfa::mfa_token(&site, &headers), response, origin)
        .await?;
    let stay = Stay::from_first_step(&site, &headers);
    let session = start_session(&auth, &site, &signed_in, stay).await?;
    let jar = CookieJar::new()
        .add(session)
        .add(cookie::clear_mfa(&site))
        .add(Stay::UntilBrowserCloses.cookie(&site));
    Ok((StatusCode::NO_CONTENT, jar))
}
