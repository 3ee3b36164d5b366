//! `GET /auth/factors`

use auth::AllowRestricted;
use axum::{Json, extract::State};
use wire::WaysIn;

use super::info;
use crate::{error::Problem, state::Auth};

/// List the second factors of the account.
#[utoipa::path(get, path = "/auth/factors", tag = "Second factors",
    responses((status = 200, description = "Authenticator apps, passkeys, and the number of unused recovery codes.", body = WaysIn)))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
) -> Result<Json<WaysIn>, Problem> {
    let ways = auth.factors().factor_overview(&caller).await?;
    Ok(Json(WaysIn {
        factors: ways.factors.iter().map(info).collect(),
        recovery_codes_left: ways.codes_left,
        recovery_codes_made_at: ways.codes_made_at,
        required: ways.required,
    }))
}
