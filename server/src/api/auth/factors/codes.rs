//! `POST /auth/recovery-codes`

use auth::{RecentlyAuthenticated, factor::RecoveryCode};
use axum::{Json, extract::State};
use http::StatusCode;
use wire::{ProblemBody, RecoveryCodes};

use crate::{error::Problem, extract::From, state::Auth};

/// Make ten new recovery codes. The old ones are void, and other sessions end.
#[utoipa::path(post, path = "/auth/recovery-codes", tag = "Second factors", responses(
    (status = 201, description = "Shown this once.", body = RecoveryCodes),
    (status = 404, description = "There is no second factor to stand in for.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    From(origin): From,
) -> Result<(StatusCode, Json<RecoveryCodes>), Problem> {
    let codes = auth.replace_recovery_codes(&caller, &origin).await?;
    let recovery_codes = codes.iter().map(RecoveryCode::expose).collect();
    Ok((StatusCode::CREATED, Json(RecoveryCodes { recovery_codes })))
}
