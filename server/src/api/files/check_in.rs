//! `POST /api/files/{filename}/checkin`

use auth::{Permit, Permitted, extract::Lasting};
use axum::{
    Json,
    extract::{Request, State},
};
use http::{HeaderMap, header};
use vault::{
    BlobId, Filename, VaultError,
    action::{CheckIn, Read},
    store::AfterCheckIn,
    vault::NewRevision,
};
use wire::{File, ProblemBody};

use super::{COMMENT, prose, upload};
use crate::{
    error::Problem,
    extract::{Named, Retry},
    shape,
    state::{AppState, Vault},
};

/// Check a file in: a new revision, and the lock is released.
#[utoipa::path(post, path = "/api/vaults/{vault}/files/{filename}/checkin", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header),
        ("If-Match" = Option<String>, Header, description = "The quoted sha256 that the new content was made from.")),
    request_body(content = wire::CheckIn, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "The file with its new revision.", body = File),
        (status = 409, description = "It is not checked out.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It was made from another revision.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "Larger than the limit.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "Not multipart/form-data.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full; nothing has changed.", body = ProblemBody, content_type = "application/problem+json"),
    ))]
#[expect(clippy::too_many_arguments, reason = "a check-in with If-Match reads before it writes: two permits")]
pub async fn handle(
    lasting: Lasting<CheckIn>,
    Permitted(read): Permitted<Read>,
    State(state): State<AppState>,
    Named(name): Named,
    retry: Retry,
    request: Request,
) -> Result<Json<File>, Problem> {
    let vault = &state.vault;
    let base = match base(vault, &read, &name, request.headers()).await {
        Ok(base) => base,
        Err(refusal) => return Err(upload::refuse(request, refusal).await),
    };
    let mut content = match vault.receive_revision(&lasting.permit, &name, retry.attempt()).await {
        Ok(upload) => upload,
        Err(refusal) => return Err(upload::refuse(request, refusal).await),
    };
    let fields = upload::receive(request, &mut content).await?;
    let comment =
        fields.comment.ok_or_else(|| Problem::invalid("/comment", "Say what changed: comment is missing."))?;
    let comment = prose(&comment, COMMENT, "/comment")?;
    let then = after(fields.keep_checked_out.as_deref())?;
    let content = vault.received(content).await?;
    let permit = lasting.again(&state.auth).await?;
    let key = retry.of(&format!("{}\n{then:?}\n{comment}", content.id()));
    let file = vault.check_in(&permit, &name, NewRevision { content, comment, then, base }, key).await?;
    Ok(Json(shape::file(&file, permit.username())))
}

fn after(keep: Option<&str>) -> Result<AfterCheckIn, Problem> {
    match keep {
        None | Some("" | "false" | "0" | "off") => Ok(AfterCheckIn::Release),
        Some("true" | "1" | "on") => Ok(AfterCheckIn::KeepCheckedOut),
        Some(_) => Err(Problem::invalid("/keep_checked_out", "This is true or false.")),
    }
}

/// `If-Match` (RFC 9110 §13.1.1): one of these is the newest content, or the base is stale.
async fn base(
    vault: &Vault,
    read: &Permit<Read>,
    name: &Filename,
    headers: &HeaderMap,
) -> Result<Option<BlobId>, Problem> {
    let Some(given) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let given = given.to_str().map_err(|_| VaultError::StaleBase)?;
    if given.trim() == "*" {
        return Ok(None);
    }
    let newest = vault.file(read, name).await?.blob.id;
    let matches = given.split(',').any(|tag| tag.trim() == format!("\"{newest}\""));
    if matches { Ok(Some(newest)) } else { Err(VaultError::StaleBase.into()) }
}
