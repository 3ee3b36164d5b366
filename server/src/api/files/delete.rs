//! `DELETE /api/files/{filename}`

use auth::Permitted;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use vault::{UserText, action::Delete};

use super::{MAX_COMMENT_CHARS, parse_optional_text};
use crate::{
    error::Problem,
    extract::{FilenameParam, IdempotencyHeader, Query},
    state::Vault,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    comment: Option<String>,
}

/// Delete a file.
///
/// Its history stays, and any revision can be restored.
#[utoipa::path(delete, path = "/api/vaults/{vault}/files/{filename}", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header), DeleteQuery),
    responses(
        (status = 204, description = "Deleted."),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<Delete>,
    State(vault): State<Vault>,
    FilenameParam(name): FilenameParam,
    idempotency: IdempotencyHeader,
    Query(query): Query<DeleteQuery>,
) -> Result<StatusCode, Problem> {
    let comment = parse_optional_text(query.comment.as_deref(), MAX_COMMENT_CHARS, "#comment")?;
    vault
        .delete(
            &permit,
            &name,
            comment.unwrap_or_else(UserText::empty),
            idempotency.key_for(""),
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
