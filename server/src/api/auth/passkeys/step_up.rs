//! `POST /auth/passkeys/step-up`

use auth::{AllowRestricted, factor::passkey::PasskeyResponse};
use axum::{Json, extract::State};
use secrecy::ExposeSecret as _;
use wire::{ProblemBody, ShownPasskey, SteppedUp};

use crate::{
    error::Problem,
    extract::{Body, From},
    state::Auth,
};

/// Confirm with a passkey that it is still you (RFC 9470), in place of password and code.
#[utoipa::path(post, path = "/auth/passkeys/step-up", tag = "Second factors", request_body = ShownPasskey, responses(
    (status = 200, description = "Confirmed.", body = SteppedUp),
    (status = 403, description = "The passkey was not accepted.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 410, description = "It took too long, or was done already.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
    From(origin): From,
    Body(body): Body<ShownPasskey>,
) -> Result<Json<SteppedUp>, Problem> {
    let answered = PasskeyResponse {
        ceremony: &body.ceremony,
        credential: &body.credential,
    };
    let caller = auth
        .finish_passkey_step_up(&caller, answered, &origin)
        .await?;
    let newer = auth.reissue_access_token(&caller)?;
    Ok(Json(SteppedUp {
        signed_in_at: caller.session().auth_time,
        expires_in: newer.as_ref().map(|access| access.expires_in.as_secs()),
        access_token: newer.map(|access| access.token.expose_secret().to_owned()),
    }))
}
