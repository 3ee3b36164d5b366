//! `PATCH /auth/passkeys/{id}`

use auth::RecentlyAuthenticated;
use axum::{Json, extract::State};
use wire::{PasskeyInfo, RenamePasskey};

use super::{PasskeyIdParam, parse_name, wire_passkey};
use crate::{error::Problem, extract::JsonBody, state::Auth};

/// Rename a passkey.
#[utoipa::path(patch, path = "/auth/passkeys/{id}", tag = "Accounts", request_body = RenamePasskey,
    params(("id" = String, Path, description = "The id from the list.")),
    responses(
        (status = 200, description = "The passkey with its new name.", body = PasskeyInfo),
    ))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    PasskeyIdParam(id): PasskeyIdParam,
    JsonBody(body): JsonBody<RenamePasskey>,
) -> Result<Json<PasskeyInfo>, Problem> {
    Ok(Json(wire_passkey(
        auth.passkeys()
            .rename_passkey(&caller, &id, parse_name(&body.name)?)
            .await?,
    )))
}
