//! `PUT /api/files/{filename}/content`

use auth::access::extract::Revalidating;
use axum::{
    Json,
    extract::{Request, State},
};
use http::StatusCode;
use vault::{UserText, action::Add};
use wire::{File, NewContent, ProblemBody};

use super::{COMMENT, optional_prose, upload};
use crate::{
    error::Problem,
    extract::{Named, Retry},
    shape,
    state::AppState,
};

/// Add a new file.
#[utoipa::path(put, path = "/api/vaults/{vault}/files/{filename}/content", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body(content = NewContent, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The file with revision 1.", body = File),
        (status = 409, description = "The file exists. Check it out to change it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The file is larger than the limit.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The media type is not multipart/form-data.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full. Nothing has changed.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handle(
    lasting: Revalidating<Add>,
    State(state): State<AppState>,
    Named(name): Named,
    retry: Retry,
    request: Request,
) -> Result<(StatusCode, Json<File>), Problem> {
    let vault = &state.vault;
    let mut content = match vault
        .start_upload_new(&lasting.permit, &name, retry.attempt())
        .await
    {
        Ok(upload) => upload,
        Err(refusal) => return Err(upload::refuse(request, refusal).await),
    };
    let fields = upload::receive(request, &mut content).await?;
    let comment = optional_prose(fields.comment.as_deref(), COMMENT, "/comment")?
        .unwrap_or_else(UserText::empty);
    let content = vault.finish_upload(content).await?;
    let permit = lasting.revalidate(&state.auth).await?;
    let key = retry.of(&format!("{}\n{comment}", content.id()));
    let file = vault.add(&permit, &name, content, comment, key).await?;
    Ok((
        StatusCode::CREATED,
        Json(shape::file(&file, permit.username())),
    ))
}
