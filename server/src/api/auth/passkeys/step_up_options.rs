//! `POST /auth/passkeys/step-up/options`

use auth::AllowRestricted;
use axum::{Json, extract::State};
use wire::{PasskeyOptions, ProblemBody};

use super::asked;
use crate::{error::Problem, state::Auth};

/// Begin to confirm with a passkey that it is still you.
#[utoipa::path(post, path = "/auth/passkeys/step-up/options", tag = "Second factors", responses(
    (status = 200, description = "For `navigator.credentials.get`.", body = PasskeyOptions),
    (status = 404, description = "This account has no passkey.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
) -> Result<Json<PasskeyOptions>, Problem> {
    Ok(Json(asked(auth.start_passkey_step_up(&caller).await?)))
}
