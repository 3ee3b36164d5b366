//! A multipart body with one file. The file is streamed and never held in memory.

use std::{
    pin::{Pin, pin},
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
use http::{HeaderMap, header};
use tokio::time::timeout;
use vault::{BlobUpload, VaultError};

use crate::error::Problem;

/// After this time without a byte from the client, the upload's buffer is written and freed.
const FLUSH_DELAY: Duration = Duration::from_secs(1);
/// After this time without a byte from the client, the upload fails.
const STALL_TIMEOUT: Duration = Duration::from_mins(1);
/// Bytes of a rejected body that are read and discarded, so that the client can read the response.
const MAX_DRAINED_BYTES: usize = 64 << 20;
/// Bytes of a text field.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Bytes that the parser may rescan while it searches for the next multipart boundary, header or
/// chunk. It rescans its whole buffer for every chunk, so this bounds quadratic work on tiny
/// chunks. At most a third of it is buffered.
const MAX_RESCANNED_BYTES: usize = 4 << 20;
/// Fields of a form, ignored ones included.
const MAX_FIELDS: usize = 32;

/// Bytes buffered, and bytes rescanned, since the parser last yielded a field or chunk.
#[derive(Clone, Debug, Default)]
struct ParserBudget(Arc<(AtomicUsize, AtomicUsize)>);

impl ParserBudget {
    /// Counts one more chunk. Returns false if the limit is exceeded.
    fn record_chunk(&self, more: usize) -> bool {
        let (buffered, rescanned) = &*self.0;
        let buffered = buffered.fetch_add(more, Ordering::Relaxed) + more;
        // The first chunk always passes, whatever its size.
        let before = rescanned.fetch_add(buffered, Ordering::Relaxed);
        before == 0 || before + buffered <= MAX_RESCANNED_BYTES
    }

    fn reset(&self) {
        self.0.0.store(0, Ordering::Relaxed);
        self.0.1.store(0, Ordering::Relaxed);
    }
}

/// The body of a form. The parser drains its input before it scans, and rescans its whole buffer
/// for every chunk. It therefore gets one chunk at a time, up to the limit.
struct PacedBody {
    body: BodyDataStream,
    budget: ParserBudget,
    yields: bool,
    /// Bytes of a rejected form that were read and discarded.
    discarded: usize,
}

impl Stream for PacedBody {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.yields) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let chunk = ready!(self.body.poll_next_unpin(context));
        self.yields = true;
        let more = chunk
            .as_ref()
            .map_or(0, |chunk| chunk.as_ref().map_or(0, Bytes::len));
        if !self.budget.record_chunk(more) {
            self.discarded += more;
            // Reads on, so that the client can read the response.
            if more > 0 && self.discarded < MAX_DRAINED_BYTES {
                return self.poll_next(context);
            }
            return Poll::Ready(Some(Err(
                "a boundary or header of the form is too long".into()
            )));
        }
        Poll::Ready(chunk.map(|chunk| chunk.map_err(BoxError::from)))
    }
}

/// The text fields beside the file.
#[derive(Debug, Default)]
pub(crate) struct UploadFields {
    pub(crate) comment: Option<String>,
    pub(crate) keep_checked_out: Option<String>,
    pub(crate) unchanged: Option<String>,
}

/// Reads the whole body: `file` into `upload`, the rest into [`Fields`], in any order.
pub(crate) async fn receive_form<U: BlobUpload>(
    request: Request,
    upload: &mut U,
) -> Result<UploadFields, Problem> {
    let budget = ParserBudget::default();
    let request = request.map(|body| {
        Body::from_stream(PacedBody {
            body: body.into_data_stream(),
            budget: budget.clone(),
            yields: false,
            discarded: 0,
        })
    });
    let mut multipart = Multipart::from_request(request, &())
        .await
        .map_err(|_| Problem::MediaType("multipart/form-data with a file"))?;
    let mut fields = UploadFields::default();
    let (mut files, mut count) = (0, 0);
    while let Some(field) = next_field(&mut multipart, &budget).await? {
        count += 1;
        match field.name() {
            _ if count > MAX_FIELDS => {
                return Err(Problem::invalid("", "This form has too many fields."));
            }
            Some("file") if files > 0 => {
                return Err(Problem::invalid(
                    "/file",
                    "The form has more than one file.",
                ));
            }
            Some("file") => {
                files += 1;
                receive_file(field, upload, &budget).await?;
            }
            Some("comment") => fields.comment = Some(read_text(field, "/comment", &budget).await?),
            Some("keep_checked_out") => {
                fields.keep_checked_out =
                    Some(read_text(field, "/keep_checked_out", &budget).await?);
            }
            Some("unchanged") => {
                fields.unchanged = Some(read_text(field, "/unchanged", &budget).await?);
            }
            _ => drain_field(field, &budget).await?,
        }
    }
    if files == 0 {
        return Err(Problem::invalid("/file", "The form has no file."));
    }
    Ok(fields)
}

async fn next_field<'a>(
    multipart: &'a mut Multipart,
    budget: &ParserBudget,
) -> Result<Option<Field<'a>>, Problem> {
    match timeout(STALL_TIMEOUT, multipart.next_field()).await {
        Ok(Ok(field)) => {
            budget.reset();
            Ok(field)
        }
        Ok(Err(error)) => Err(invalid_upload(&error)),
        Err(_) => Err(VaultError::Incomplete.into()),
    }
}

/// Reads the file field, which its name alone identifies: the bytes of a file name may be Latin-1, and
/// some clients send none. A browser sends this field even if no file was chosen, with an empty name
/// and no bytes.
async fn receive_file<U: BlobUpload>(
    field: Field<'_>,
    upload: &mut U,
    budget: &ParserBudget,
) -> Result<(), Problem> {
    let is_named = has_file_name(field.headers());
    let is_empty = stream_to_blob(field, upload, budget).await? == 0;
    if is_named || !is_empty {
        Ok(())
    } else {
        Err(Problem::invalid("/file", "The form has no file."))
    }
}

/// Whether the part names a file, in whatever encoding.
fn has_file_name(headers: &HeaderMap) -> bool {
    let disposition = headers
        .get(header::CONTENT_DISPOSITION)
        .map_or(&[][..], |value| value.as_bytes());
    let contains = |text: &[u8]| disposition.windows(text.len()).any(|part| part == text);
    contains(b"filename") && !contains(b"filename=\"\"")
}

/// Returns the number of bytes.
async fn stream_to_blob<U: BlobUpload>(
    mut field: Field<'_>,
    upload: &mut U,
    budget: &ParserBudget,
) -> Result<u64, Problem> {
    let mut size = 0;
    while let Some(bytes) = next_file_chunk(&mut field, upload, budget).await? {
        size += bytes.len() as u64;
        if let Err(refusal) = upload.write(bytes).await {
            drain_field(field, budget).await.ok();
            return Err(refusal.into());
        }
    }
    Ok(size)
}

/// [`next_chunk`], which frees the upload's buffer while the client pauses.
async fn next_file_chunk<U: BlobUpload>(
    field: &mut Field<'_>,
    upload: &mut U,
    budget: &ParserBudget,
) -> Result<Option<Bytes>, Problem> {
    let mut chunk = pin!(next_chunk(field, budget));
    if let Ok(chunk) = timeout(FLUSH_DELAY, &mut chunk).await {
        return chunk;
    }
    upload.flush().await?;
    chunk.await
}

async fn next_chunk(
    field: &mut Field<'_>,
    budget: &ParserBudget,
) -> Result<Option<Bytes>, Problem> {
    match timeout(STALL_TIMEOUT, field.chunk()).await {
        Ok(Ok(chunk)) => {
            budget.reset();
            Ok(chunk)
        }
        Ok(Err(error)) => Err(invalid_upload(&error)),
        Err(_) => Err(VaultError::Incomplete.into()),
    }
}

async fn read_text(
    mut field: Field<'_>,
    pointer: &str,
    budget: &ParserBudget,
) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = next_chunk(&mut field, budget).await? {
        if bytes.len() + chunk.len() > MAX_TEXT_BYTES {
            return Err(Problem::invalid(pointer, "This text is too long."));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| Problem::invalid(pointer, "This text is not UTF-8."))
}

async fn drain_field(mut field: Field<'_>, budget: &ParserBudget) -> Result<(), Problem> {
    let mut drained = 0;
    while let Some(chunk) = next_chunk(&mut field, budget).await? {
        drained += chunk.len();
        if drained > MAX_DRAINED_BYTES {
            return Err(Problem::BodyTooLarge);
        }
    }
    Ok(())
}

fn invalid_upload(error: &axum::extract::multipart::MultipartError) -> Problem {
    VaultError::BadUpload {
        detail: format!("The upload cannot be read: {}.", error.body_text()),
    }
    .into()
}

/// Reads and discards the body of a request that is rejected before it is parsed, up to a limit.
pub(crate) async fn drain_and_refuse(request: Request, refusal: impl Into<Problem>) -> Problem {
    let mut body = Body::into_data_stream(request.into_body());
    let mut drained = 0;
    while let Ok(Some(Ok(chunk))) = timeout(STALL_TIMEOUT, body.next()).await {
        drained += chunk.len();
        if drained > MAX_DRAINED_BYTES {
            break;
        }
    }
    refusal.into()
}
