//! `POST /auth/device/look`

use auth::Interactive;
use axum::{Json, extract::State};
use wire::{PendingDevice, UserCodeLookup};

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
