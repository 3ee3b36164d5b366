//! Builds the breach list from a Pwned Passwords list, in any order and of tens of gigabytes: an
//! external merge sort over chunks that fit into memory.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use durable_fs::{Mode, StagedFile};

use super::{HEADER_LENGTH, MAGIC, PREFIX_BYTES, Sha1Prefix};

/// Entries sorted in memory at once: 96 MB.
const CHUNK_BYTES: usize = 16 << 20;

#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(
        "line {line}: {reason}; expected a Pwned Passwords line such as 0018A45C4D1DEF81644B54AB7F969B88D65E53FA:42"
    )]
    Line { line: u64, reason: &'static str },
    #[error("the list is empty")]
    Empty,
    #[error("{path}: {source}")]
    File { path: String, source: io::Error },
}

/// The result of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildReport {
    pub lines: u64,
    /// Distinct entries.
    pub entries: u64,
}

/// Writes a temporary file and renames it to `to`, replacing an older one.
///
/// # Errors
/// [`BuildError::Line`] for a line in another format, with its number.
pub fn build(list: impl BufRead, to: &Path) -> Result<BuildReport, BuildError> {
    build_in_chunks(list, to, CHUNK_BYTES)
}

pub(crate) fn build_in_chunks(
    list: impl BufRead,
    to: &Path,
    chunk: usize,
) -> Result<BuildReport, BuildError> {
    let chunks = TempFile(with_suffix(to, "pieces"));
    let failed = |source| BuildError::File {
        path: to.display().to_string(),
        source,
    };
    let (lines, lengths) = sort_chunks(list, &chunks.0, chunk)?;
    if lines == 0 {
        return Err(BuildError::Empty);
    }
    let mut list = StagedFile::beside(to, Mode::DEFAULT).map_err(failed)?;
    let entries = merge(&chunks.0, &lengths, list.file_mut()).map_err(failed)?;
    list.replace(to).map_err(failed)?;
    Ok(BuildReport { lines, entries })
}

/// A file that is deleted on drop.
struct TempFile(PathBuf);

impl Drop for TempFile {
    fn drop(&mut self) {
        // It may have been renamed already, or never created.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn with_suffix(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{end}"));
    name.into()
}

/// Writes all sorted chunks to one file. Returns the number of lines and the length of each chunk.
fn sort_chunks(
    mut list: impl BufRead,
    to: &Path,
    chunk: usize,
) -> Result<(u64, Vec<u64>), BuildError> {
    let failed = |source| BuildError::File {
        path: to.display().to_string(),
        source,
    };
    let mut out = BufWriter::new(File::create(to).map_err(failed)?);
    let (mut entries, mut lengths): (Vec<Sha1Prefix>, Vec<u64>) = (Vec::new(), Vec::new());
    let (mut n, mut lines, mut text) = (0, 0, Vec::new());
    loop {
        text.clear();
        n += 1;
        // Bounded read: a file without line breaks is not loaded whole.
        let read = (&mut list).take(256).read_until(b'\n', &mut text);
        let ended = read.map_err(|_| BuildError::Line {
            line: n,
            reason: "it cannot be read",
        })? == 0;
        if !ended
            && let Some(entry) =
                parse(&text).map_err(|reason| BuildError::Line { line: n, reason })?
        {
            lines += 1;
            entries.push(entry);
        }
        if entries.len() >= chunk || (ended && !entries.is_empty()) {
            entries.sort_unstable();
            entries.dedup();
            out.write_all(entries.as_flattened()).map_err(failed)?;
            lengths.push(entries.len() as u64);
            entries.clear();
        }
        if ended {
            out.flush().map_err(failed)?;
            return Ok((lines, lengths));
        }
    }
}

/// `None` for an empty line.
fn parse(line: &[u8]) -> Result<Option<Sha1Prefix>, &'static str> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    let (hash, count) = match line.iter().position(|byte| *byte == b':') {
        Some(colon) => (&line[..colon], &line[colon + 1..]),
        None => (line, &b"1"[..]),
    };
    if hash.len() == 32 {
        return Err(
            "it has 32 digits, as in the list of NTLM hashes; use the list of SHA-1 hashes",
        );
    }
    let mut sha1 = [0; 20];
    hex::decode_to_slice(hash, &mut sha1)
        .map_err(|_| "it does not begin with 40 hexadecimal digits")?;
    if count.is_empty() || !count.iter().all(u8::is_ascii_digit) {
        return Err("the text after the colon is not a number");
    }
    Ok(sha1.first_chunk::<PREFIX_BYTES>().copied())
}

/// Sequential reader of one sorted chunk.
struct SortedChunk {
    entries: BufReader<io::Take<File>>,
}

impl SortedChunk {
    fn next(&mut self) -> io::Result<Option<Sha1Prefix>> {
        let mut entry = [0; PREFIX_BYTES];
        match self.entries.read_exact(&mut entry) {
            Ok(()) => Ok(Some(entry)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn merge(chunks: &Path, lengths: &[u64], target: &mut File) -> io::Result<u64> {
    let (mut open, mut heap, mut start) = (Vec::new(), BinaryHeap::new(), 0);
    for (n, length) in lengths.iter().enumerate() {
        let mut file = File::open(chunks)?;
        file.seek(SeekFrom::Start(start))?;
        let bytes = length * PREFIX_BYTES as u64;
        start += bytes;
        let mut chunk = SortedChunk {
            entries: BufReader::with_capacity(64 * 1024, file.take(bytes)),
        };
        heap.extend(chunk.next()?.map(|entry| Reverse((entry, n))));
        open.push(chunk);
    }
    let mut out = BufWriter::with_capacity(1 << 20, &mut *target);
    out.write_all(&[0; HEADER_LENGTH])?;
    let (mut entries, mut last) = (0_u64, None);
    while let Some(Reverse((entry, n))) = heap.pop() {
        if last != Some(entry) {
            out.write_all(&entry)?;
            entries += 1;
            last = Some(entry);
        }
        heap.extend(open[n].next()?.map(|entry| Reverse((entry, n))));
    }
    out.flush()?;
    drop(out);
    target.seek(SeekFrom::Start(0))?;
    target.write_all(&MAGIC)?;
    target.write_all(&entries.to_le_bytes())?;
    Ok(entries)
}
