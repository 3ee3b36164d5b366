//! `PUT /api/files/{filename}/content`

use auth::access::extract::Revalidating;
use axum::{
    Json,
    extract::{Request, State},
};
use http::{HeaderMap, StatusCode};
use vault::{UserText, action::Add};
use wire::{File, NewContent};

use super::{MAX_COMMENT_CHARS, parse_optional_text, upload};
use crate::{
    error::Problem,
    extract::{FilenameParam, IdempotencyHeader},
    state::AppState,
    to_wire,
};

/// Add a new file.
#[utoipa::path(put, path = "/api/vaults/{vault}/files/{filename}/content", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body(content = NewContent, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The file with revision 1.", body = File,
            headers(("ETag" = String), ("Location" = String))),
    ))]
pub async fn handle(
    permitted: Revalidating<Add>,
    State(state): State<AppState>,
    FilenameParam(name): FilenameParam,
    idempotency: IdempotencyHeader,
    request: Request,
) -> Result<(StatusCode, HeaderMap, Json<File>), Problem> {
    let vault = &state.vault;
    let _slot = state.streams.open_transfer(permitted.caller())?;
    let mut content = match vault
        .start_upload_new(&permitted.permit, &name, idempotency.precheck())
        .await
    {
        Ok(upload) => upload,
        Err(refusal) => return Err(upload::drain_and_refuse(request, refusal).await),
    };
    let fields = upload::receive_form(request, &mut content).await?;
    let comment = parse_optional_text(fields.comment.as_deref(), MAX_COMMENT_CHARS, "/comment")?
        .unwrap_or_else(UserText::empty);
    let content = vault.finish_upload(content).await?;
    let permit = permitted.revalidate(&state.auth).await?;
    let key = idempotency.key_for(&format!("{}\n{comment}", content.id()));
    let file = vault.add(&permit, &name, content, comment, key).await?;
    Ok((
        StatusCode::CREATED,
        to_wire::file_headers(permit.realm(), &file),
        Json(to_wire::file(&file, permit.username())),
    ))
}
