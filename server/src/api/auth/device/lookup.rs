//! `POST /auth/device/look`

use auth::Interactive;
use axum::{Json, extract::State};
use wire::{PendingDevice, ProblemBody, UserCodeLookup};

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Look up the pending device of a user code (RFC 8628 §3.3).
///
/// After the look-up, only this account can decide.
#[utoipa::path(post, path = "/auth/device/look", tag = "Accounts", request_body = UserCodeLookup, responses(
    (status = 200, description = "The client, its address and the requested scopes.", body = PendingDevice),
    (status = 404, description = "No device is pending with this code, or another account has looked it up.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The request body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "The media type is not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Five codes were invalid.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<UserCodeLookup>,
) -> Result<Json<PendingDevice>, Problem> {
    let device = auth
        .oauth()
        .lookup_user_code(&caller, &body.user_code, &origin)
        .await?;
    Ok(Json(PendingDevice {
        request: device.id,
        user_code: device.user_code.expose(),
        program: device.client_name,
        scopes: device
            .scopes
            .iter()
            .map(|grant| grant.as_str().to_owned())
            .collect(),
        address: device.address.to_string(),
        user_agent: device.user_agent,
        asked_at: device.requested_at,
        expires_at: device.expires_at,
    }))
}
