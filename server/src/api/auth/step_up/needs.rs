//! `GET /auth/step-up`

use auth::{EvenRestricted, FactorKind};
use axum::{Json, extract::State};
use wire::StepUpNeeds;

use crate::state::Auth;

/// What a step-up wants to be shown.
#[utoipa::path(get, path = "/auth/step-up", tag = "Second factors",
    responses((status = 200, description = "What this account has.", body = StepUpNeeds)))]
pub async fn handle(EvenRestricted(caller): EvenRestricted, State(auth): State<Auth>) -> Json<StepUpNeeds> {
    let factors = caller.factors();
    Json(StepUpNeeds {
        recent: caller.recent().is_ok(),
        max_age: auth.settings().step_up.within.as_secs(),
        otp: factors.is_enrolled(),
        app: factors.contains(FactorKind::Totp),
        passkey: factors.contains(FactorKind::Passkey),
    })
}
