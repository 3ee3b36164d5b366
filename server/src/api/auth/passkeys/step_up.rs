//! `POST /auth/passkeys/step-up`

use auth::{AllowRestricted, factor::passkey::PasskeyResponse};
use axum::{Json, extract::State};
use secrecy::ExposeSecret as _;
use wire::{PasskeyAssertion, StepUpResponse};

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Complete a step-up with a passkey (RFC 9470), in place of password and code.
#[utoipa::path(post, path = "/auth/passkeys/step-up", tag = "Second factors", request_body = PasskeyAssertion, responses(
    (status = 200, description = "Confirmed, with a new access token for token clients.", body = StepUpResponse),
))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<PasskeyAssertion>,
) -> Result<Json<StepUpResponse>, Problem> {
    let response = PasskeyResponse {
        ceremony: &body.ceremony,
        credential: &body.credential,
    };
    let caller = auth
        .passkeys()
        .finish_passkey_step_up(&caller, response, &origin)
        .await?;
    let renewed = auth.sessions().reissue_access_token(&caller)?;
    Ok(Json(StepUpResponse {
        signed_in_at: caller.session().auth_time,
        expires_in: renewed.as_ref().map(|access| access.expires_in.as_secs()),
        access_token: renewed.map(|access| access.token.expose_secret().to_owned()),
    }))
}
