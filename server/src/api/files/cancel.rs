//! `POST /api/files/{filename}/cancel`

use auth::Permitted;
use axum::{Json, extract::State};
use vault::action::Cancel;
use wire::File;

use crate::{
    error::Problem,
    extract::{FilenameParam, IdempotencyHeader},
    state::Vault,
    to_wire,
};

/// Cancel your check-out.
///
/// The content stays unchanged.
#[utoipa::path(post, path = "/api/vaults/{vault}/files/{filename}/cancel", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, description = "The unlocked file.", body = File),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<Cancel>,
    State(vault): State<Vault>,
    FilenameParam(name): FilenameParam,
    idempotency: IdempotencyHeader,
) -> Result<Json<File>, Problem> {
    let file = vault
        .cancel(&permit, &name, idempotency.key_for(""))
        .await?;
    Ok(Json(to_wire::file(&file, permit.username())))
}
