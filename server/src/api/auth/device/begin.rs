//! `POST /auth/device` (RFC 8628 §3.1)

use std::sync::Arc;

use auth::Anyone;
use axum::{Json, extract::State};
use http::HeaderMap;
use wire::{DeviceAuthorization, DeviceForm, TokenError};

use crate::{
    api::auth::token::uncached,
    error::{OAuthProblem, Problem},
    extract::{Form, From},
    state::{Auth, Site},
};

/// Begin to sign in a device that has no browser: it shows `user_code`, somebody types it at `verification_uri`, and the
/// device asks `POST /auth/token` for the outcome.
#[utoipa::path(post, path = "/auth/device", tag = "Accounts",
    request_body(content = DeviceForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Show the code.", body = DeviceAuthorization),
        (status = 400, description = "An unknown program, or a scope that it cannot have.", body = TokenError),
        (status = 413, description = "The body is too large.", body = TokenError),
        (status = 415, description = "Not a form.", body = TokenError),
        (status = 429, description = "Too many codes of this address wait.", body = TokenError),
    ))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    State(site): State<Arc<Site>>,
    From(origin): From,
    form: Result<Form, Problem>,
) -> Result<(HeaderMap, Json<DeviceAuthorization>), OAuthProblem> {
    let mut form = form?;
    let (client, scope) = (form.take("client_id"), form.take("scope"));
    let codes = auth
        .device_authorization(client.as_deref(), scope.as_deref(), origin)
        .await?;
    let page = format!("{}/device", site.config.public_url);
    let user_code = codes.user_code.expose();
    Ok((
        uncached(),
        Json(DeviceAuthorization {
            device_code: codes.device_code.expose().to_owned(),
            verification_uri_complete: format!("{page}?user_code={user_code}"),
            verification_uri: page,
            user_code,
            expires_in: codes.expires_in.as_secs(),
            interval: codes.interval.as_secs(),
        }),
    ))
}
