//! `POST /auth/device/decide`

use auth::{Decision, Interactive};
use axum::extract::State;
use http::StatusCode;
use wire::{ConsentDecision, DeviceDecision};

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Approve or deny a pending device (RFC 8628 §3.3).
///
/// The same account must have looked the code up before. Approval needs a recent sign-in.
#[utoipa::path(post, path = "/auth/device/decide", tag = "Accounts", request_body = DeviceDecision, responses(
    (status = 204, description = "Decided. The device gets the result with its next poll."),
))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<DeviceDecision>,
) -> Result<StatusCode, Problem> {
    let decision = match body.decision {
        ConsentDecision::Approve => {
            caller.require_recent()?;
            Decision::Approve
        }
        ConsentDecision::Deny => Decision::Deny,
    };
    auth.oauth()
        .decide_device(&caller, &body.user_code, &body.request, decision, &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
