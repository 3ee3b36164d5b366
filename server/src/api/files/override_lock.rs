//! `POST /api/files/{filename}/override`

use auth::Permitted;
use axum::{Json, extract::State};
use vault::{action::Override, store::AfterOverride};
use wire::File;

use super::{MAX_NOTE_CHARS, parse_text};
use crate::{
    error::Problem,
    extract::{FilenameParam, IdempotencyHeader, JsonBody},
    state::Vault,
    to_wire,
};

/// The record of an override without a reason: clients of the original application send no body.
const NO_REASON: &str = "No reason was given.";

/// Override the lock of another user.
///
/// Every member of the vault can read the reason.
#[utoipa::path(post, path = "/api/vaults/{vault}/files/{filename}/override", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body(content = wire::Override, description = "Optional."),
    responses(
        (status = 200, description = "The file, unlocked, or locked by you if `take` is true.", body = File),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<Override>,
    State(vault): State<Vault>,
    FilenameParam(name): FilenameParam,
    idempotency: IdempotencyHeader,
    body: Option<JsonBody<wire::Override>>,
) -> Result<Json<File>, Problem> {
    let body = body.map(|JsonBody(body)| body).unwrap_or_default();
    let given = body.reason.filter(|reason| !reason.trim().is_empty());
    let reason = given.as_deref().unwrap_or(NO_REASON);
    let key = idempotency.key_for(&format!("{}\n{reason}", body.take));
    let reason = parse_text(reason, MAX_NOTE_CHARS, "/reason")?;
    let then = if body.take {
        AfterOverride::Take
    } else {
        AfterOverride::Release
    };
    let file = vault
        .override_lock(&permit, &name, reason, then, key)
        .await?;
    Ok(Json(to_wire::file(&file, permit.username())))
}
