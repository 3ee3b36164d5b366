//! `GET /auth/passkeys`

use auth::AllowRestricted;
use axum::{Json, extract::State};
use wire::PasskeyInfo;

use super::wire_passkey;
use crate::{error::Problem, state::Auth};

/// List the passkeys of the account, oldest first.
#[utoipa::path(get, path = "/auth/passkeys", tag = "Accounts",
    responses((status = 200, description = "The passkeys.", body = Vec<PasskeyInfo>)))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
) -> Result<Json<Vec<PasskeyInfo>>, Problem> {
    Ok(Json(
        auth.passkeys()
            .passkeys(&caller)
            .await?
            .into_iter()
            .map(wire_passkey)
            .collect(),
    ))
}
