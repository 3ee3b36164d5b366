//! `POST /auth/passkeys/second-step/options`

use std::sync::Arc;

use auth::SameOriginForm;
use axum::{Json, extract::State};
use axum_extra::extract::CookieJar;
use wire::{PasskeyOptions, ProblemBody};

use super::asked;
use crate::{
    error::Problem,
    state::{Auth, Site},
    web::handlers::second,
};

/// Begin to show a passkey after the password, on the page.
#[utoipa::path(post, path = "/auth/passkeys/second-step/options", tag = "Second factors", responses(
    (status = 200, description = "For `navigator.credentials.get`.", body = PasskeyOptions),
    (status = 401, description = "No sign-in waits for this, or not any more.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 403, description = "Not asked by a page of ours.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 404, description = "This account has no passkey.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<Site>>,
    jar: CookieJar,
) -> Result<Json<PasskeyOptions>, Problem> {
    Ok(Json(asked(
        auth.start_passkey_mfa(second::token(&site, &jar)).await?,
    )))
}
