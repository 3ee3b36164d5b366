//! `POST /api/files/{filename}/move`

use auth::Permitted;
use axum::{Json, extract::State};
use vault::{Filename, action::Move};
use wire::File;

use crate::{
    error::Problem,
    extract::{FilenameParam, IdempotencyHeader, JsonBody},
    state::Vault,
    to_wire,
};

/// Move or rename a file.
///
/// It keeps its history and its lock.
#[utoipa::path(post, path = "/api/vaults/{vault}/files/{filename}/move", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = wire::Move,
    responses(
        (status = 200, description = "The file with its new name.", body = File),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<Move>,
    State(vault): State<Vault>,
    FilenameParam(name): FilenameParam,
    idempotency: IdempotencyHeader,
    JsonBody(body): JsonBody<wire::Move>,
) -> Result<Json<File>, Problem> {
    let key = idempotency.key_for(&body.to);
    let to = Filename::parse(&body.to).map_err(|error| Problem::invalid("/to", error))?;
    let file = vault.move_to(&permit, &name, to, key).await?;
    Ok(Json(to_wire::file(&file, permit.username())))
}
