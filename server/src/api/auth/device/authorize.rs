//! `POST /auth/device` (RFC 8628 §3.1)

use std::sync::Arc;

use auth::Anyone;
use axum::{Json, extract::State};
use http::HeaderMap;
use wire::{DeviceAuthorization, DeviceForm, TokenError};

use crate::{
    api::auth::token::no_store_headers,
    error::{OAuthProblem, Problem},
    extract::{ClientOrigin, Form},
    state::{Auth, SiteInfo},
};

/// Start the device authorization flow (RFC 8628 §3.1).
///
/// The device shows `user_code`, and a user enters it at `verification_uri`. The device polls
/// `POST /auth/token` for the result.
#[utoipa::path(post, path = "/auth/device", tag = "Accounts",
    request_body(content = DeviceForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The codes, the verification URI and the polling interval.", body = DeviceAuthorization),
        (status = 400, description = "The client is unknown, or may not request the scope.", body = TokenError),
        (status = 413, description = "The request body is too large.", body = TokenError),
        (status = 415, description = "The media type is not a form.", body = TokenError),
        (status = 429, description = "Too many codes from this address are pending.", body = TokenError),
    ))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    State(site): State<Arc<SiteInfo>>,
    ClientOrigin(origin): ClientOrigin,
    form: Result<Form, Problem>,
) -> Result<(HeaderMap, Json<DeviceAuthorization>), OAuthProblem> {
    let mut form = form?;
    let (client, scope) = (form.take("client_id"), form.take("scope"));
    let codes = auth
        .oauth()
        .device_authorization(client.as_deref(), scope.as_deref(), origin)
        .await?;
    let page = format!("{}/device", site.config.public_url);
    let user_code = codes.user_code.expose();
    Ok((
        no_store_headers(),
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
