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
    let overview = auth.factors().factor_overview(&caller).await?;
    Ok(Json(WaysIn {
        factors: overview.factors.iter().map(info).collect(),
        recovery_codes_left: overview.codes_left,
        recovery_codes_made_at: overview.codes_made_at,
        required: overview.required,
    }))
}
