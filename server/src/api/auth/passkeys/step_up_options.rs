//! `POST /auth/passkeys/step-up/options`

use auth::AllowRestricted;
use axum::{Json, extract::State};
use wire::PasskeyOptions;

use super::wire_options;
use crate::{error::Problem, state::Auth};

/// Start a step-up with a passkey (RFC 9470).
#[utoipa::path(post, path = "/auth/passkeys/step-up/options", tag = "Second factors", responses(
    (status = 200, description = "The options for `navigator.credentials.get`.", body = PasskeyOptions),
))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
) -> Result<Json<PasskeyOptions>, Problem> {
    Ok(Json(wire_options(
        auth.passkeys().start_passkey_step_up(&caller).await?,
    )))
}
