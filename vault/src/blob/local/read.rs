//! Content of a file as a stream. Each chunk is read on a blocking thread when it is polled.

use std::{
    fs::File,
    io::{self, Read as _},
};

use bytes::Bytes;
use futures_util::stream::{self, Stream};

use super::super::buffer_budget::{Buffer, BufferBudget};

/// The next `length` bytes of `file`, at most one buffer at a time.
pub(super) fn chunks(
    file: File,
    length: u64,
    budget: BufferBudget,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold((file, length), move |(file, remaining)| {
        let buffer = (remaining > 0).then(|| budget.buffer());
        async move {
            let Some(buffer) = buffer else {
                return Ok(None);
            };
            let read = tokio::task::spawn_blocking(move || read_chunk(file, buffer, remaining));
            let (file, chunk) = read.await.map_err(io::Error::other)??;
            let remaining = remaining.saturating_sub(chunk.len() as u64);
            Ok(Some((chunk, (file, remaining))))
        }
    })
}

fn read_chunk(mut file: File, mut buffer: Buffer, remaining: u64) -> io::Result<(File, Bytes)> {
    let wanted = remaining.min(buffer.capacity() as u64);
    buffer
        .bytes
        .reserve_exact(usize::try_from(wanted).unwrap_or(buffer.capacity()));
    let read = file.by_ref().take(wanted).read_to_end(&mut buffer.bytes)?;
    if read as u64 != wanted {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((file, buffer.into_bytes()))
}
