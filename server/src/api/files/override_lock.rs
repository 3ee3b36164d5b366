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

/// Override the lock of another user.
///
/// Every member of the vault can read the reason.
#[utoipa::path(post, path = "/api/vaults/{vault}/files/{filename}/override", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = wire::Override,
    responses(
        (status = 200, description = "The file, unlocked, or locked by you if `take` is true.", body = File),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<Override>,
    State(vault): State<Vault>,
    FilenameParam(name): FilenameParam,
    idempotency: IdempotencyHeader,
    JsonBody(body): JsonBody<wire::Override>,
) -> Result<Json<File>, Problem> {
    if body.reason.trim().is_empty() {
        return Err(Problem::invalid(
            "/reason",
            "The reason is missing. The user who held the file reads it.",
        ));
    }
    let key = idempotency.key_for(&format!("{}\n{}", body.take, body.reason));
    let reason = parse_text(&body.reason, MAX_NOTE_CHARS, "/reason")?;
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
