//! `POST /auth/recovery-codes`

use auth::{RecentlyAuthenticated, factor::RecoveryCode};
use axum::{Json, extract::State};
use http::StatusCode;
use wire::RecoveryCodes;

use crate::{error::Problem, extract::ClientOrigin, state::Auth};

/// Replace the recovery codes with ten new ones.
///
/// The old codes stop working, and all other sessions of the account end.
#[utoipa::path(post, path = "/auth/recovery-codes", tag = "Second factors", responses(
    (status = 201, description = "The codes. They are not shown again.", body = RecoveryCodes),
))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
) -> Result<(StatusCode, Json<RecoveryCodes>), Problem> {
    let codes = auth
        .factors()
        .replace_recovery_codes(&caller, &origin)
        .await?;
    let recovery_codes = codes.iter().map(RecoveryCode::expose).collect();
    Ok((StatusCode::CREATED, Json(RecoveryCodes { recovery_codes })))
}
