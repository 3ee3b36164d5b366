//! `POST /auth/device/look`

use auth::Interactive;
use axum::{Json, extract::State};
use wire::{LookAtDevice, ProblemBody, WaitingDevice};

use crate::{
    error::Problem,
    extract::{Body, From},
    state::Auth,
};

/// See which device waits with a code. From then on nobody else can decide about it.
#[utoipa::path(post, path = "/auth/device/look", tag = "Accounts", request_body = LookAtDevice, responses(
    (status = 200, description = "What asks, from where, and for what.", body = WaitingDevice),
    (status = 404, description = "No device waits with this code, or somebody else has typed it.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Five codes were wrong.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    From(origin): From,
    Body(body): Body<LookAtDevice>,
) -> Result<Json<WaitingDevice>, Problem> {
    let waiting = auth
        .lookup_user_code(&caller, &body.user_code, &origin)
        .await?;
    Ok(Json(WaitingDevice {
        request: waiting.id,
        user_code: waiting.user_code.expose(),
        program: waiting.client_name,
        scopes: waiting
            .scopes
            .iter()
            .map(|grant| grant.as_str().to_owned())
            .collect(),
        address: waiting.address.to_string(),
        user_agent: waiting.user_agent,
        asked_at: waiting.requested_at,
        expires_at: waiting.expires_at,
    }))
}
