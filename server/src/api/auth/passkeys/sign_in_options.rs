//! `POST /auth/passkeys/sign-in/options`

use std::sync::Arc;

use auth::SameOriginForm;
use axum::{Json, extract::State};
use axum_extra::extract::CookieJar;
use wire::PasskeyOptions;

use super::wire_options;
use crate::{
    error::Problem,
    state::{Auth, SiteInfo},
    web::cookie,
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
    jar: CookieJar,
) -> Result<(CookieJar, Json<PasskeyOptions>), Problem> {
    let (options, browser) = auth
        .passkeys()
        .start_sign_in(cookie::read_passkey_browser(&site, &jar))?;
    Ok((
        CookieJar::new().add(cookie::passkey_browser(&site, &browser)),
        Json(wire_options(options)),
    ))
}
