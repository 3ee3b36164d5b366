//! `POST /auth/passkeys/sign-in/options`

use std::sync::Arc;

use auth::SameOriginForm;
use axum::{Json, extract::State};
use axum_extra::extract::CookieJar;
use http::HeaderMap;
use wire::PasskeyOptions;

use super::wire_options;
use crate::{
    error::Problem,
    state::{Auth, SiteInfo},
    web::cookie::CookieKind,
};

/// Start a passkey sign-in to the web pages.
///
/// The options do not depend on an account. The assertion must come from the same browser.
#[utoipa::path(post, path = "/auth/passkeys/sign-in/options", tag = "Accounts", responses(
    (status = 200, description = "The options for `navigator.credentials.get`.", body = PasskeyOptions),
))]
pub async fn handle(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    headers: HeaderMap,
) -> Result<(CookieJar, Json<PasskeyOptions>), Problem> {
    let (options, browser) = auth
        .passkeys()
        .start_sign_in(CookieKind::PasskeyBrowser.read(&site, &headers))?;
    Ok((
        CookieJar::new().add(CookieKind::PasskeyBrowser.with(&site, &browser)),
        Json(wire_options(options)),
    ))
}
