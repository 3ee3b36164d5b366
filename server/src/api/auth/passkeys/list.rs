//! `GET /auth/passkeys`

use auth::AllowRestricted;
use axum::{Json, extract::State};
use wire::PasskeyInfo;

use super::info;
use crate::{error::Problem, state::Auth};

/// One's passkeys, oldest first.
#[utoipa::path(get, path = "/auth/passkeys", tag = "Accounts",
    responses((status = 200, description = "All of them.", body = Vec<PasskeyInfo>)))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
) -> Result<Json<Vec<PasskeyInfo>>, Problem> {
    Ok(Json(
        auth.passkeys(&caller)
            .await?
            .into_iter()
            .map(info)
            .collect(),
    ))
}
