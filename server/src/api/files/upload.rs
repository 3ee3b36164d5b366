//! A multipart body with one file in it, streamed: nothing of the file is kept in memory.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Request, multipart::Field},
};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::timeout;
use vault::{BlobUpload, VaultError};

use crate::error::Problem;

/// A client that sends nothing for so long is gone.
const STALLED: Duration = Duration::from_mins(1);
/// How much of a refused body is read and thrown away, so that the client gets to read the refusal.
const PATIENCE: usize = 64 << 20;
/// The longest text field, in bytes.
const MOST_TEXT: usize = 64 * 1024;

/// What came with the file.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) comment: Option<String>,
    pub(crate) keep_checked_out: Option<String>,
}

/// Reads the whole body: `file` into `upload`, the rest into [`Fields`], in any order.
pub(crate) async fn receive<U: BlobUpload>(request: Request, upload: &mut U) -> Result<Fields, Problem> {
    let mut multipart = Multipart::from_request(request, &())
        .await
        .map_err(|_| Problem::MediaType("multipart/form-data with a file"))?;
    let mut fields = Fields::default();
    let mut files = 0;
    while let Some(field) = next_field(&mut multipart).await? {
        match field.name() {
            Some("file") if files > 0 => return Err(Problem::invalid("/file", "One file at a time.")),
            Some("file") => {
                files += 1;
                stream(field, upload).await?;
            }
            Some("comment") => fields.comment = Some(text(field, "/comment").await?),
            Some("keep_checked_out") => fields.keep_checked_out = Some(text(field, "/keep_checked_out").await?),
            _ => drain_field(field).await?,
        }
    }
    if files == 0 {
        return Err(Problem::invalid("/file", "There is no file in the form."));
    }
    Ok(fields)
}

async fn next_field(multipart: &mut Multipart) -> Result<Option<Field<'_>>, Problem> {
    match timeout(STALLED, multipart.next_field()).await {
        Ok(Ok(field)) => Ok(field),
        Ok(Err(error)) => Err(broken(&error)),
        Err(_) => Err(VaultError::Incomplete.into()),
    }
}

async fn stream<U: BlobUpload>(mut field: Field<'_>, upload: &mut U) -> Result<(), Problem> {
    while let Some(bytes) = next_chunk(&mut field).await? {
        if let Err(refusal) = upload.write(bytes).await {
            drain_field(field).await.ok();
            return Err(refusal.into());
        }
    }
    Ok(())
}

async fn next_chunk(field: &mut Field<'_>) -> Result<Option<Bytes>, Problem> {
    match timeout(STALLED, field.chunk()).await {
        Ok(Ok(chunk)) => Ok(chunk),
        Ok(Err(error)) => Err(broken(&error)),
        Err(_) => Err(VaultError::Incomplete.into()),
    }
}

async fn text(mut field: Field<'_>, pointer: &str) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = next_chunk(&mut field).await? {
        if bytes.len() + chunk.len() > MOST_TEXT {
            return Err(Problem::invalid(pointer, "This text is too long."));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| Problem::invalid(pointer, "This text is not UTF-8."))
}

async fn drain_field(mut field: Field<'_>) -> Result<(), Problem> {
    let mut seen = 0;
    while let Some(chunk) = next_chunk(&mut field).await? {
        seen += chunk.len();
        if seen > PATIENCE {
            return Err(Problem::BodyTooLarge);
        }
    }
    Ok(())
}

fn broken(error: &axum::extract::multipart::MultipartError) -> Problem {
    VaultError::BadUpload { detail: format!("The upload cannot be read: {}.", error.body_text()) }.into()
}

/// Reads and drops the body of a request that is refused before it was looked at, within reason.
pub(crate) async fn refuse(request: Request, refusal: impl Into<Problem>) -> Problem {
    let mut body = Body::into_data_stream(request.into_body());
    let mut seen = 0;
    while let Ok(Some(Ok(chunk))) = timeout(STALLED, body.next()).await {
        seen += chunk.len();
        if seen > PATIENCE {
            break;
        }
    }
    refusal.into()
}
