//! `POST /auth/passkeys/options`

use auth::AllowRestricted;
use axum::{Json, extract::State};
use wire::PasskeyOptions;

use super::wire_options;
use crate::{error::Problem, state::Auth};

/// Start the registration of a passkey.
#[utoipa::path(post, path = "/auth/passkeys/options", tag = "Accounts", responses(
    (status = 200, description = "The options for `navigator.credentials.create`.", body = PasskeyOptions),
))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
) -> Result<Json<PasskeyOptions>, Problem> {
    Ok(Json(wire_options(
        auth.passkeys().start_registration(&caller).await?,
    )))
}
