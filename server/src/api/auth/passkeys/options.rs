//! `POST /auth/passkeys/options`

use auth::AllowRestricted;
use axum::{Json, extract::State};
use wire::{PasskeyOptions, ProblemBody};

use super::asked;
use crate::{error::Problem, state::Auth};

/// Begin to add a passkey: what the browser is to be asked for.
#[utoipa::path(post, path = "/auth/passkeys/options", tag = "Accounts", responses(
    (status = 200, description = "For `navigator.credentials.create`.", body = PasskeyOptions),
    (status = 404, description = "Passkeys do not work at the address of this installation.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "There are too many already.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
) -> Result<Json<PasskeyOptions>, Problem> {
    Ok(Json(asked(auth.start_registration(&caller).await?)))
}
