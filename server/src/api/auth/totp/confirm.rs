//! `POST /auth/totp/confirm`

use auth::{EnrollmentSession, OneTimeCode};
use axum::{Json, extract::State};
use http::StatusCode;
use wire::{ConfirmTotp, FactorAdded};

use crate::{
    api::auth::factors::factor_added,
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Confirm the enrollment of an authenticator app with its first code.
///
/// All other sessions of the account end. The current session counts as signed in with a second
/// factor.
#[utoipa::path(post, path = "/auth/totp/confirm", tag = "Second factors", request_body = ConfirmTotp, responses(
    (status = 201, description = "Enrolled. The first factor comes with recovery codes, which are not shown again.", body = FactorAdded),
))]
pub async fn handle(
    EnrollmentSession(caller): EnrollmentSession,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<ConfirmTotp>,
) -> Result<(StatusCode, Json<FactorAdded>), Problem> {
    let enrolled = auth
        .factors()
        .confirm_totp(&caller, &OneTimeCode::parse(&body.code), &origin)
        .await?;
    Ok((StatusCode::CREATED, Json(factor_added(&enrolled))))
}
