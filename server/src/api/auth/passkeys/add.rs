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
use wire::{AddedPasskey, ProblemBody};

use super::{info, named};
use crate::{
    error::Problem,
    extract::{Body, From},
    state::Auth,
};

/// Add the passkey that the browser made. With the first second factor come recovery codes, shown this once.
#[utoipa::path(post, path = "/auth/passkeys", tag = "Accounts", request_body = wire::NewPasskey, responses(
    (status = 201, description = "Added; every other session is ended.", body = AddedPasskey),
    (status = 404, description = "Passkeys do not work at the address of this installation.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "It is here already, or there are too many.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 410, description = "It took too long, was done already, or began in another session.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    AllowRestricted(caller): AllowRestricted,
    State(auth): State<Auth>,
    From(origin): From,
    Body(body): Body<wire::NewPasskey>,
) -> Result<(StatusCode, Json<AddedPasskey>), Problem> {
    let response = PasskeyResponse {
        ceremony: &body.ceremony,
        credential: &body.credential,
    };
    let new = NewPasskey {
        response,
        name: named(&body.name)?,
    };
    let added = auth.finish_registration(&caller, new, &origin).await?;
    let recovery_codes = added
        .recovery_codes
        .iter()
        .map(RecoveryCode::expose)
        .collect();
    Ok((
        StatusCode::CREATED,
        Json(AddedPasskey {
            passkey: info(added.passkey),
            recovery_codes,
        }),
    ))
}
