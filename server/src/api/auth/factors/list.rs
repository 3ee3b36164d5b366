//! `GET /auth/factors`

use auth::AllowRestricted;
use axum::{Json, extract::State};
use wire::WaysIn;

use super::info;
use crate::{error::Problem, state::Auth};

/// What one signs in with besides the password.
#[utoipa::path(get, path = "/auth/factors", tag = "Second factors",
    responses((status = 200, description = "Apps, passkeys, and how many recovery codes are left.", body = WaysIn)))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
) -> Result<Json<WaysIn>, Problem> {
    let ways = auth.factor_overview(&caller).await?;
    Ok(Json(WaysIn {
        factors: ways.factors.iter().map(info).collect(),
        recovery_codes_left: ways.codes_left,
        recovery_codes_made_at: ways.codes_made_at,
        required: ways.required,
    }))
}
