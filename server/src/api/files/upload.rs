//! A multipart body with one file. The file is streamed and never held in memory.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    BoxError,
    body::{Body, BodyDataStream},
    extract::{FromRequest, Multipart, Request, multipart::Field},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;
use vault::{BlobUpload, VaultError};

use crate::error::Problem;

/// After this time without a byte from the client, the upload fails.
const STALLED: Duration = Duration::from_mins(1);
/// Bytes of a rejected body that are read and discarded, so that the client can read the response.
const PATIENCE: usize = 64 << 20;
/// Bytes of a text field.
const MOST_TEXT: usize = 64 * 1024;

/// Bytes that the parser may rescan while it searches for the next multipart boundary, header or
/// chunk. It rescans its whole buffer for every chunk, so this bounds quadratic work on tiny chunks.
/// At most a third of it is buffered.
const MOST_LOOKED_AT: usize = 4 << 20;
/// Fields of a form, ignored ones included.
const MOST_FIELDS: usize = 32;

/// Bytes buffered, and bytes rescanned, since the parser last yielded a field or chunk.
#[derive(Clone, Debug, Default)]
struct Held(Arc<(AtomicUsize, AtomicUsize)>);

impl Held {
    /// Counts one more chunk. Returns false if the limit is exceeded.
    fn take_up(&self, more: usize) -> bool {
        let (held, looked_at) = &*self.0;
        let held = held.fetch_add(more, Ordering::Relaxed) + more;
        // The first chunk always passes, whatever its size.
        let before = looked_at.fetch_add(held, Ordering::Relaxed);
        before == 0 || before + held <= MOST_LOOKED_AT
    }

    fn gave_back(&self) {
        self.0.0.store(0, Ordering::Relaxed);
        self.0.1.store(0, Ordering::Relaxed);
    }
}

/// The body of a form. The parser drains its input before it scans, and rescans its whole buffer for
/// every chunk. It therefore gets one chunk at a time, up to the limit.
struct Paced {
    body: BodyDataStream,
    held: Held,
    rests: bool,
    /// Bytes of a rejected form that were read and discarded.
    thrown: usize,
}

impl Stream for Paced {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.rests) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = ready!(self.body.poll_next_unpin(context));
        self.rests = true;
        let more = piece
            .as_ref()
            .map_or(0, |piece| piece.as_ref().map_or(0, Bytes::len));
        if !self.held.take_up(more) {
            self.thrown += more;
            // Reads on, so that the client can read the response.
            if more > 0 && self.thrown < PATIENCE {
                return self.poll_next(context);
            }
            return Poll::Ready(Some(Err(
                "a boundary or header of the form is too long".into()
            )));
        }
        Poll::Ready(piece.map(|piece| piece.map_err(BoxError::from)))
    }
}

/// The text fields beside the file.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) comment: Option<String>,
    pub(crate) keep_checked_out: Option<String>,
}

/// Reads the whole body: `file` into `upload`, the rest into [`Fields`], in any order.
pub(crate) async fn receive<U: BlobUpload>(
    request: Request,
    upload: &mut U,
) -> Result<Fields, Problem> {
    let held = Held::default();
    let request = request.map(|body| {
        Body::from_stream(Paced {
            body: body.into_data_stream(),
            held: held.clone(),
            rests: false,
            thrown: 0,
        })
    });
    let mut multipart = Multipart::from_request(request, &())
        .await
        .map_err(|_| Problem::MediaType("multipart/form-data with a file"))?;
    let mut fields = Fields::default();
    let (mut files, mut count) = (0, 0);
    while let Some(field) = next_field(&mut multipart, &held).await? {
        count += 1;
        match field.name() {
            _ if count > MOST_FIELDS => {
                return Err(Problem::invalid("", "This form has too many fields."));
            }
            Some("file") if files > 0 => {
                return Err(Problem::invalid("/file", "The form has more than one file."));
            }
            Some("file") => {
                files += 1;
                file(field, upload, &held).await?;
            }
            Some("comment") => fields.comment = Some(text(field, "/comment", &held).await?),
            Some("keep_checked_out") => {
                fields.keep_checked_out = Some(text(field, "/keep_checked_out", &held).await?)
            }
            _ => drain_field(field, &held).await?,
        }
    }
    if files == 0 {
        return Err(Problem::invalid("/file", "The form has no file."));
    }
    Ok(fields)
}

async fn next_field<'a>(
    multipart: &'a mut Multipart,
    held: &Held,
) -> Result<Option<Field<'a>>, Problem> {
    match timeout(STALLED, multipart.next_field()).await {
        Ok(Ok(field)) => {
            held.gave_back();
            Ok(field)
        }
        Ok(Err(error)) => Err(broken(&error)),
        Err(_) => Err(VaultError::Incomplete.into()),
    }
}

/// Reads the file field. A browser sends this field even if no file was chosen: as text, or with an
/// empty name and no bytes.
async fn file<U: BlobUpload>(field: Field<'_>, upload: &mut U, held: &Held) -> Result<(), Problem> {
    let none = || Problem::invalid("/file", "The form has no file.");
    let is_named = !field.file_name().ok_or_else(none)?.is_empty();
    let is_empty = stream(field, upload, held).await? == 0;
    if is_named || !is_empty {
        Ok(())
    } else {
        Err(none())
    }
}

/// Returns the number of bytes.
async fn stream<U: BlobUpload>(
    mut field: Field<'_>,
    upload: &mut U,
    held: &Held,
) -> Result<u64, Problem> {
    let mut size = 0;
    while let Some(bytes) = next_chunk(&mut field, held).await? {
        size += bytes.len() as u64;
        if let Err(refusal) = upload.write(bytes).await {
            drain_field(field, held).await.ok();
            return Err(refusal.into());
        }
    }
    Ok(size)
}

async fn next_chunk(field: &mut Field<'_>, held: &Held) -> Result<Option<Bytes>, Problem> {
    match timeout(STALLED, field.chunk()).await {
        Ok(Ok(chunk)) => {
            held.gave_back();
            Ok(chunk)
        }
        Ok(Err(error)) => Err(broken(&error)),
        Err(_) => Err(VaultError::Incomplete.into()),
    }
}

async fn text(mut field: Field<'_>, pointer: &str, held: &Held) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = next_chunk(&mut field, held).await? {
        if bytes.len() + chunk.len() > MOST_TEXT {
            return Err(Problem::invalid(pointer, "This text is too long."));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| Problem::invalid(pointer, "This text is not UTF-8."))
}

async fn drain_field(mut field: Field<'_>, held: &Held) -> Result<(), Problem> {
    let mut seen = 0;
    while let Some(chunk) = next_chunk(&mut field, held).await? {
        seen += chunk.len();
        if seen > PATIENCE {
            return Err(Problem::BodyTooLarge);
        }
    }
    Ok(())
}

fn broken(error: &axum::extract::multipart::MultipartError) -> Problem {
    VaultError::BadUpload {
        detail: format!("The upload cannot be read: {}.", error.body_text()),
    }
    .into()
}

/// Reads and discards the body of a request that is rejected before it is parsed, up to a limit.
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
