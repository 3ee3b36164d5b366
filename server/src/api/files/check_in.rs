//! `POST /api/files/{filename}/checkin`

use auth::{Permit, Permitted, access::extract::Revalidating};
use axum::{
    Json,
    extract::{Request, State},
};
use http::{HeaderMap, header};
use vault::{
    BlobId, Filename, VaultError,
    action::{CheckIn, Read},
    store::{AfterCheckIn, UnchangedContent},
    vault::{Precheck, RevisionUpload},
};
use wire::File;

use super::{MAX_COMMENT_CHARS, parse_text, upload};
use crate::{
    error::Problem,
    extract::{FilenameParam, IdempotencyHeader, parse_boolean},
    state::{AppState, Vault},
    to_wire,
};

/// Check in a new revision of a file.
///
/// The lock is released, unless `keep_checked_out` is true.
#[utoipa::path(post, path = "/api/vaults/{vault}/files/{filename}/checkin", tag = "Files",
    params(("vault" = String, Path), ("filename" = String, Path), ("Idempotency-Key" = Option<String>, Header),
        ("If-Match" = Option<String>, Header, description = "The quoted SHA-256 of the content on which the new content is based.")),
    request_body(content = wire::CheckIn, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "The file with the new revision.", body = File,
            headers(("ETag" = String), ("Location" = String))),
    ))]
#[expect(
    clippy::too_many_arguments,
    reason = "a check-in with If-Match reads before it writes: two permits"
)]
pub async fn handle(
    permitted: Revalidating<CheckIn>,
    Permitted(read): Permitted<Read>,
    State(state): State<AppState>,
    FilenameParam(name): FilenameParam,
    idempotency: IdempotencyHeader,
    request: Request,
) -> Result<(HeaderMap, Json<File>), Problem> {
    let vault = &state.vault;
    let _slot = state.streams.open_transfer(permitted.caller())?;
    let tags = if_match(request.headers());
    let base = match expected_base(
        vault,
        &read,
        &name,
        (tags.as_deref(), idempotency.precheck()),
    )
    .await
    {
        Ok(base) => base,
        Err(refusal) => return Err(upload::drain_and_refuse(request, refusal).await),
    };
    let mut content = match vault
        .start_upload_revision(&permitted.permit, &name, idempotency.precheck())
        .await
    {
        Ok(upload) => upload,
        Err(refusal) => return Err(upload::drain_and_refuse(request, refusal).await),
    };
    let fields = upload::receive_form(request, &mut content).await?;
    let comment = fields.comment.unwrap_or_default();
    let comment = parse_text(&comment, MAX_COMMENT_CHARS, "/comment")?;
    let then = parse_after(fields.keep_checked_out.as_deref())?;
    let unchanged = parse_unchanged(fields.unchanged.as_deref())?;
    let content = vault.finish_upload(content).await?;
    let permit = permitted.revalidate(&state.auth).await?;
    let made_from = tags.map(|tags| format!("{tags}\n")).unwrap_or_default();
    let key = idempotency.key_for(&format!("{made_from}{}\n{then:?}\n{comment}", content.id()));
    let file = vault
        .check_in(
            &permit,
            &name,
            RevisionUpload {
                content,
                comment,
                then,
                base,
                unchanged,
            },
            key,
        )
        .await?;
    Ok((
        to_wire::file_headers(permit.realm(), &file),
        Json(to_wire::file(&file, permit.username())),
    ))
}

fn parse_after(keep: Option<&str>) -> Result<AfterCheckIn, Problem> {
    let keep = keep.unwrap_or_default().trim();
    if keep.is_empty() {
        return Ok(AfterCheckIn::Release);
    }
    match parse_boolean(keep) {
        Some(false) => Ok(AfterCheckIn::Release),
        Some(true) => Ok(AfterCheckIn::KeepCheckedOut),
        None => Err(Problem::invalid(
            "/keep_checked_out",
            "The value must be true or false.",
        )),
    }
}

fn parse_unchanged(given: Option<&str>) -> Result<UnchangedContent, Problem> {
    match given.unwrap_or_default().trim() {
        "" | "accept" => Ok(UnchangedContent::Accept),
        "refuse" => Ok(UnchangedContent::Refuse),
        _ => Err(Problem::invalid(
            "/unchanged",
            "The value must be accept or refuse.",
        )),
    }
}

/// The value of `If-Match`. A value that is not text matches no content. Not `headers::IfMatch`: a
/// retry needs the tags themselves, which that type does not give.
fn if_match(headers: &HeaderMap) -> Option<String> {
    headers
        .get(header::IF_MATCH)
        .map(|given| given.to_str().unwrap_or_default().trim().to_owned())
}

/// `If-Match` (RFC 9110 §13.1.1): the base is stale unless one of the tags names the newest
/// content. A retry is checked in the transaction, after the look-up of its key: if the first
/// attempt succeeded, its base is no longer the newest content.
async fn expected_base(
    vault: &Vault,
    read: &Permit<Read>,
    name: &Filename,
    (tags, attempt): (Option<&str>, Precheck),
) -> Result<Option<BlobId>, Problem> {
    let Some(tags) = tags.filter(|tags| *tags != "*") else {
        return Ok(None);
    };
    let expected: Vec<BlobId> = tags
        .split(',')
        .filter_map(|tag| {
            tag.trim()
                .strip_prefix('"')?
                .strip_suffix('"')
                .and_then(BlobId::parse)
        })
        .collect();
    match (vault.file(read, name).await, attempt) {
        (Ok(file), _) if expected.contains(&file.blob.id) => Ok(Some(file.blob.id)),
        (_, Precheck::SkipForRetry) if !expected.is_empty() => Ok(expected.into_iter().next()),
        (Ok(_), _) => Err(VaultError::StaleBase.into()),
        (Err(error), _) => Err(error.into()),
    }
}
