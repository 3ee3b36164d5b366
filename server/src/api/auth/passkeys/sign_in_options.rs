//! `POST /auth/passkeys/sign-in/options`

use std::sync::Arc;

use auth::SameOriginForm;
use axum::{Json, extract::State};
use axum_extra::extract::CookieJar;
use wire::{PasskeyOptions, ProblemBody};

use super::asked;
use crate::{
    error::Problem,
    state::{Auth, Site},
    web::cookie,
};

/// Begin to sign in with a passkey, on the page: the same for everybody. The answer is good in this browser only.
#[utoipa::path(post, path = "/auth/passkeys/sign-in/options", tag = "Accounts", responses(
    (status = 200, description = "For `navigator.credentials.get`.", body = PasskeyOptions),
    (status = 403, description = "Not asked by a page of ours.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 404, description = "Passkeys do not work at the address of this installation.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<Site>>,
    jar: CookieJar,
) -> Result<(CookieJar, Json<PasskeyOptions>), Problem> {
    let (options, browser) = auth.start_sign_in(cookie::browser_of(&site, &jar))?;
    Ok((
        CookieJar::new().add(cookie::browser(&site, &browser)),
        Json(asked(options)),
    ))
}
