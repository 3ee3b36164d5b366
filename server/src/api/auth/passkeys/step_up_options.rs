//! `POST /auth/passkeys/step-up/options`

use auth::EvenRestricted;
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
    EvenRestricted(caller): EvenRestricted,
    State(auth): State<Auth>,
) -> Result<Json<PasskeyOptions>, Problem> {
    Ok(Json(asked(auth.passkey_to_step_up(&caller).await?)))
}
