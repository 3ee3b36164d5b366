//! `GET /api/files/{filename}`

use auth::Permitted;
use axum::{Json, extract::State};
use http::HeaderMap;
use vault::action::Read;
use wire::File;

use crate::{error::Problem, extract::FilenameParam, state::Vault, to_wire};

/// Show a file.
///
/// `ETag` is the quoted SHA-256 of its content.
#[utoipa::path(get, path = "/api/vaults/{vault}/files/{filename}", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path, description = "Percent-encoded: `fixtures%2Fvise.step`")),
    responses((status = 200, description = "The file.", body = File, headers(("ETag" = String)))))]
pub async fn handle(
    Permitted(permit): Permitted<Read>,
    State(vault): State<Vault>,
    FilenameParam(name): FilenameParam,
) -> Result<(HeaderMap, Json<File>), Problem> {
    let file = vault.file(&permit, &name).await?;
    Ok((
        to_wire::etag(&file.blob.id),
        Json(to_wire::file(&file, permit.username())),
    ))
}
