//! `DELETE /api/files/{filename}`

use auth::Permitted;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use vault::{UserText, action::Delete};
use wire::ProblemBody;

use super::{COMMENT, optional_prose};
use crate::{
    error::Problem,
    extract::{Named, Query, Retry},
    state::Vault,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    comment: Option<String>,
}

/// Delete a file.
///
/// Its history stays, and any revision can be restored.
#[utoipa::path(delete, path = "/api/vaults/{vault}/files/{filename}", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header), Asked),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "Another user holds the file.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    Permitted(permit): Permitted<Delete>,
    State(vault): State<Vault>,
    Named(name): Named,
    retry: Retry,
    Query(asked): Query<Asked>,
) -> Result<StatusCode, Problem> {
    let comment = optional_prose(asked.comment.as_deref(), COMMENT, "#comment")?;
    vault
        .delete(
            &permit,
            &name,
            comment.unwrap_or_else(UserText::empty),
            retry.of(""),
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
