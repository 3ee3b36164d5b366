//! `POST /auth/passkeys/second-step/options`

use std::sync::Arc;

use auth::SameOriginForm;
use axum::{Json, extract::State};
use http::HeaderMap;
use wire::PasskeyOptions;

use super::wire_options;
use crate::{
    error::Problem,
    state::{Auth, SiteInfo},
    web::pages::mfa,
};

/// Start a passkey assertion as second factor of a browser sign-in.
#[utoipa::path(post, path = "/auth/passkeys/second-step/options", tag = "Second factors", responses(
    (status = 200, description = "The options for `navigator.credentials.get`.", body = PasskeyOptions),
))]
pub async fn handle(
    _: SameOriginForm,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    headers: HeaderMap,
) -> Result<Json<PasskeyOptions>, Problem> {
    Ok(Json(wire_options(
        auth.passkeys()
            .start_passkey_mfa(&mfa::mfa_token(&site, &headers))
            .await?,
    )))
}
