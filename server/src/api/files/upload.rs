//! A multipart body with one file in it, streamed: nothing of the file is kept in memory.

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

/// A client that sends nothing for so long is gone.
const STALLED: Duration = Duration::from_mins(1);
/// How much of a refused body is read and thrown away, so that the client gets to read the refusal.
const PATIENCE: usize = 64 << 20;
/// The longest text field, in bytes.
const MOST_TEXT: usize = 64 * 1024;

/// So many bytes are looked at while the next boundary, header or piece of a field is looked for: all that is held, again
/// for each piece that comes, however small. Less than a third of it is held then.
const MOST_LOOKED_AT: usize = 4 << 20;
/// Fields of a form, with those that are not looked at.
const MOST_FIELDS: usize = 32;

/// What was read since the form last gave something back, and what was looked at for it; in bytes.
#[derive(Clone, Debug, Default)]
struct Held(Arc<(AtomicUsize, AtomicUsize)>);

impl Held {
    /// Takes up a piece more; false where that is too much.
    fn take_up(&self, more: usize) -> bool {
        let (held, looked_at) = &*self.0;
        let held = held.fetch_add(more, Ordering::Relaxed) + more;
        // What comes first is taken, however much it is.
        let before = looked_at.fetch_add(held, Ordering::Relaxed);
        before == 0 || before + held <= MOST_LOOKED_AT
    }

    fn gave_back(&self) {
        self.0.0.store(0, Ordering::Relaxed);
        self.0.1.store(0, Ordering::Relaxed);
    }
}

/// The body of a form. Whoever parses it takes whatever is there before looking at it, and looks at all of it again for
/// each piece more: so it gets one piece at a time, and not without end.
struct Paced {
    body: BodyDataStream,
    held: Held,
    rests: bool,
    /// Of a form that is refused, what was read and thrown away.
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
            // The client gets to read the refusal.
            if more > 0 && self.thrown < PATIENCE {
                return self.poll_next(context);
            }
            return Poll::Ready(Some(Err(
                "a boundary or a header of the form has no end".into()
            )));
        }
        Poll::Ready(piece.map(|piece| piece.map_err(BoxError::from)))
    }
}

/// What came with the file.
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
                return Err(Problem::invalid("/file", "One file at a time."));
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
        return Err(Problem::invalid("/file", "There is no file in the form."));
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

/// A form in which nobody chose a file has a field of that name all the same: text, or what has no name and no bytes.
async fn file<U: BlobUpload>(field: Field<'_>, upload: &mut U, held: &Held) -> Result<(), Problem> {
    let none = || Problem::invalid("/file", "There is no file in the form.");
    let is_named = !field.file_name().ok_or_else(none)?.is_empty();
    let is_empty = stream(field, upload, held).await? == 0;
    if is_named || !is_empty {
        Ok(())
    } else {
        Err(none())
    }
}

/// Says how many bytes there were.
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
