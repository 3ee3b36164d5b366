//! `POST /auth/step-up`

use auth::{AllowRestricted, OneTimeCode, Password, session::sign_in::SignInProof};
use axum::{Json, extract::State};
use secrecy::ExposeSecret as _;
use wire::{ProblemBody, StepUp, SteppedUp};

use crate::{
    error::Problem,
    extract::{Body, From},
    state::Auth,
};

/// Confirm that it is still you (RFC 9470): this session counts as signed in just now.
#[utoipa::path(post, path = "/auth/step-up", tag = "Second factors", request_body = StepUp, responses(
    (status = 200, description = "Confirmed.", body = SteppedUp),
    (status = 403, description = "The password or the code is not right.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
    From(origin): From,
    Body(body): Body<StepUp>,
) -> Result<Json<SteppedUp>, Problem> {
    let code = body
        .otp
        .filter(|otp| !otp.trim().is_empty())
        .map(|otp| OneTimeCode::parse(&otp));
    let proofs = SignInProof {
        password: Password::new(body.password),
        code,
    };
    let caller = auth.step_up(&caller, proofs, &origin).await?;
    let newer = auth.reissue_access_token(&caller)?;
    Ok(Json(SteppedUp {
        signed_in_at: caller.session().auth_time,
        expires_in: newer.as_ref().map(|access| access.expires_in.as_secs()),
        access_token: newer.map(|access| access.token.expose_secret().to_owned()),
    }))
}
