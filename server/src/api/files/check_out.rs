//! `POST /api/files/{filename}/checkout`

use auth::Permitted;
use axum::{Json, extract::State};
use vault::action::CheckOut;
use wire::File;

use super::{MAX_NOTE_CHARS, parse_optional_text};
use crate::{
    error::Problem,
    extract::{FilenameParam, IdempotencyHeader, JsonBody},
    state::Vault,
    to_wire,
};

/// Check a file out.
///
/// No other user can change it until it is checked in, cancelled or overridden.
#[utoipa::path(post, path = "/api/vaults/{vault}/files/{filename}/checkout", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<wire::CheckOut>,
    responses(
        (status = 200, description = "The file, locked by you.", body = File),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<CheckOut>,
    State(vault): State<Vault>,
    FilenameParam(name): FilenameParam,
    idempotency: IdempotencyHeader,
    body: Option<JsonBody<wire::CheckOut>>,
) -> Result<Json<File>, Problem> {
    let note = body.and_then(|JsonBody(body)| body.note);
    let key = idempotency.key_for(note.as_deref().unwrap_or(""));
    let note = parse_optional_text(note.as_deref(), MAX_NOTE_CHARS, "/note")?;
    let file = vault.check_out(&permit, &name, note, key).await?;
    Ok(Json(to_wire::file(&file, permit.username())))
}
