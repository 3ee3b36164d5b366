//! `POST /auth/passkeys`

use auth::{
    AllowRestricted,
    factor::{
        RecoveryCode,
        passkey::{NewPasskey, PasskeyResponse},
    },
};
use axum::{Json, extract::State};
use http::StatusCode;
use wire::RegisteredPasskey;

use super::{parse_name, wire_passkey};
use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Register a passkey.
///
/// The first second factor comes with recovery codes, which are not shown again.
#[utoipa::path(post, path = "/auth/passkeys", tag = "Accounts", request_body = wire::NewPasskey, responses(
    (status = 201, description = "Registered. All other sessions of the account end.", body = RegisteredPasskey),
))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<wire::NewPasskey>,
) -> Result<(StatusCode, Json<RegisteredPasskey>), Problem> {
    let response = PasskeyResponse {
        ceremony: &body.ceremony,
        credential: &body.credential,
    };
    let new = NewPasskey {
        response,
        name: parse_name(&body.name)?,
    };
    let registered = auth
        .passkeys()
        .finish_registration(&caller, new, &origin)
        .await?;
    let recovery_codes = registered
        .recovery_codes
        .iter()
        .map(RecoveryCode::expose)
        .collect();
    Ok((
        StatusCode::CREATED,
        Json(RegisteredPasskey {
            passkey: wire_passkey(registered.passkey),
            recovery_codes,
        }),
    ))
}
