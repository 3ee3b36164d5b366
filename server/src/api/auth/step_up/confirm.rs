//! `POST /auth/step-up`

use auth::{AllowRestricted, OneTimeCode, Password, session::sign_in::SignInProof};
use axum::{Json, extract::State};
use secrecy::ExposeSecret as _;
use wire::{StepUp, StepUpResponse};

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Complete a step-up with password and code (RFC 9470).
///
/// The session then counts as signed in at this moment.
#[utoipa::path(post, path = "/auth/step-up", tag = "Second factors", request_body = StepUp, responses(
    (status = 200, description = "Confirmed, with a new access token for token clients.", body = StepUpResponse),
))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<StepUp>,
) -> Result<Json<StepUpResponse>, Problem> {
    let code = body
        .otp
        .filter(|otp| !otp.trim().is_empty())
        .map(|otp| OneTimeCode::parse(&otp));
    let proof = SignInProof {
        password: Password::new(body.password),
        code,
    };
    let caller = auth.sessions().step_up(&caller, proof, &origin).await?;
    let renewed = auth.sessions().reissue_access_token(&caller)?;
    Ok(Json(StepUpResponse {
        signed_in_at: caller.session().auth_time,
        expires_in: renewed.as_ref().map(|access| access.expires_in.as_secs()),
        access_token: renewed.map(|access| access.token.expose_secret().to_owned()),
    }))
}
