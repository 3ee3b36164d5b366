//! `GET /auth/factors`

use auth::AllowRestricted;
use axum::{Json, extract::State};
use wire::FactorOverview;

use super::info;
use crate::{error::Problem, state::Auth};

/// List the second factors of the account.
#[utoipa::path(get, path = "/auth/factors", tag = "Second factors",
    responses((status = 200, description = "Authenticator apps, passkeys, and the number of unused recovery codes.", body = FactorOverview)))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
) -> Result<Json<FactorOverview>, Problem> {
    let overview = auth.factors().factor_overview(&caller).await?;
    Ok(Json(FactorOverview {
        factors: overview.factors.iter().map(info).collect(),
        recovery_codes_left: overview.codes_left,
        recovery_codes_made_at: overview.codes_made_at,
        required: overview.required,
    }))
}
