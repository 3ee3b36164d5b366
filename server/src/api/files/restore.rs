//! `POST /api/files/{filename}/restore`

use auth::Permitted;
use axum::{Json, extract::State};
use vault::action::Restore;
use wire::File;

use crate::{
    error::Problem,
    extract::{FilenameParam, IdempotencyHeader, JsonBody},
    state::Vault,
    to_wire,
};

/// Restore a revision of a file.
///
/// The file gets a new revision equal to the old one. A deleted file exists again.
#[utoipa::path(post, path = "/api/vaults/{vault}/files/{filename}/restore", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = wire::Restore,
    responses(
        (status = 200, description = "The file with the new revision.", body = File),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<Restore>,
    State(vault): State<Vault>,
    FilenameParam(name): FilenameParam,
    idempotency: IdempotencyHeader,
    JsonBody(body): JsonBody<wire::Restore>,
) -> Result<Json<File>, Problem> {
    let key = idempotency.key_for(&body.revision.to_string());
    let file = vault.restore(&permit, &name, body.revision, key).await?;
    Ok(Json(to_wire::file(&file, permit.username())))
}
