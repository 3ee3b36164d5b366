//! `POST /auth/device/decide`

use auth::{Decision, Interactive};
use axum::extract::State;
use http::StatusCode;
use wire::{DecideDevice, ProblemBody, Verdict};

use crate::{
    error::Problem,
    extract::{Body, From},
    state::Auth,
};

/// Let a device in that was looked at before, or don't. To let it in wants a recent sign-in.
#[utoipa::path(post, path = "/auth/device/decide", tag = "Accounts", request_body = DecideDevice, responses(
    (status = 204, description = "The device hears of it when it asks next."),
    (status = 404, description = "No device waits with this code, or it was not looked at.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Five codes were wrong.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    From(origin): From,
    Body(body): Body<DecideDevice>,
) -> Result<StatusCode, Problem> {
    let decision = match body.decision {
        Verdict::Approve => {
            caller.require_recent()?;
            Decision::Approve
        }
        Verdict::Deny => Decision::Deny,
    };
    auth.decide_device(&caller, &body.user_code, &body.request, decision, &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
