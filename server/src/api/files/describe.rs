//! `PUT /api/files/{filename}`

use auth::Permitted;
use axum::{Json, extract::State};
use wire::File;

use super::{MAX_COMMENT_CHARS, parse_optional_text};
use crate::{
    error::Problem,
    extract::{FilenameParam, IdempotencyHeader, JsonBody},
    state::Vault,
    to_wire,
};

/// Change the description of a file.
#[utoipa::path(put, path = "/api/vaults/{vault}/files/{filename}", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = wire::Describe,
    responses(
        (status = 200, description = "The file.", body = File),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<vault::action::Describe>,
    State(vault): State<Vault>,
    FilenameParam(name): FilenameParam,
    idempotency: IdempotencyHeader,
    JsonBody(body): JsonBody<wire::Describe>,
) -> Result<Json<File>, Problem> {
    let key = idempotency.key_for(body.description.as_deref().unwrap_or(""));
    let description = parse_optional_text(
        body.description.as_deref(),
        MAX_COMMENT_CHARS,
        "/description",
    )?;
    let file = vault.describe(&permit, &name, description, key).await?;
    Ok(Json(to_wire::file(&file, permit.username())))
}
