//! `POST /auth/passkeys/options`

use auth::AllowRestricted;
use axum::{Json, extract::State};
use wire::{PasskeyOptions, ProblemBody};

use super::wire_options;
use crate::{error::Problem, state::Auth};

/// Start the registration of a passkey.
#[utoipa::path(post, path = "/auth/passkeys/options", tag = "Accounts", responses(
    (status = 200, description = "The options for `navigator.credentials.create`.", body = PasskeyOptions),
    (status = 404, description = "Passkeys are not available at the public URL of this server.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "The account has too many passkeys.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
) -> Result<Json<PasskeyOptions>, Problem> {
    Ok(Json(wire_options(
        auth.passkeys().start_registration(&caller).await?,
    )))
}
