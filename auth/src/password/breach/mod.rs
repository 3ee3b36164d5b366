//! Breached passwords: a local file of sorted SHA-1 prefixes. Look-ups are local; no password data
//! leaves the machine.
//!
//! Format: a 16-byte header (magic number, and entry count in little endian), then 6 bytes per
//! password. False-positive rate: n / 2^48; with all of Pwned Passwords (10^9), 1 in 280,000. A
//! look-up reads a few pages, independent of the file's length.

mod build;

use std::{
    fmt,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use unicode_normalization::UnicodeNormalization as _;

pub use build::{BuildError, BuildReport, build};

const MAGIC: [u8; 8] = *b"srbreac1";
const HEADER: u64 = HEADER_LENGTH as u64;
const HEADER_LENGTH: usize = 16;
const PREFIX_BYTES: usize = 6;
/// Entries read at once.
const PAGE_ENTRIES: u64 = 680;

type Sha1Prefix = [u8; PREFIX_BYTES];

/// An open breach list.
pub struct BreachFilter {
    path: PathBuf,
    file: Mutex<File>,
    entries: u64,
}

impl BreachFilter {
    /// # Errors
    /// A message for the operator if the file is not a breach list or is truncated.
    pub fn open(path: &Path) -> Result<Self, String> {
        let invalid = |reason: &str| format!("the breach list {}: {reason}", path.display());
        let mut file = File::open(path).map_err(|error| invalid(&error.to_string()))?;
        let mut header = [0; 16];
        let not_a_list = "not a breach list; create one with `strongroom breach build`";
        file.read_exact(&mut header)
            .map_err(|_| invalid(not_a_list))?;
        let Some((MAGIC, count)) = header
            .split_first_chunk::<8>()
            .map(|(magic, count)| (*magic, count))
        else {
            return Err(invalid(not_a_list));
        };
        let entries = u64::from_le_bytes(count.try_into().unwrap_or_default());
        let length = file
            .metadata()
            .map_err(|error| invalid(&error.to_string()))?
            .len();
        let expected_length = entries
            .checked_mul(PREFIX_BYTES as u64)
            .and_then(|bytes| bytes.checked_add(HEADER));
        if expected_length != Some(length) {
            return Err(invalid(
                "the file is truncated; create it again with `strongroom breach build`",
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            file: Mutex::new(file),
            entries,
        })
    }

    /// The number of passwords in the list.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Whether the list contains the password, as typed or in NFKC. Blocking file access: do not
    /// call it on an async worker.
    ///
    /// # Errors
    /// An error of the file.
    pub(crate) fn contains(&self, password: &str) -> io::Result<bool> {
        let is_listed = self.contains_prefix(hash_prefix(password))?;
        if is_listed || password.is_ascii() {
            return Ok(is_listed);
        }
        self.contains_prefix(hash_prefix(&password.nfkc().collect::<String>()))
    }

    /// Interpolation search: hashes are uniformly distributed, so the position can be estimated.
    fn contains_prefix(&self, wanted: Sha1Prefix) -> io::Result<bool> {
        let (mut from, mut to) = (0, self.entries);
        let (mut low_value, mut high_value) = (0, 1_u64 << (8 * PREFIX_BYTES));
        while from < to {
            let into = u128::from(prefix_number(wanted) - low_value) * u128::from(to - from)
                / u128::from(high_value - low_value);
            let guess = from + u64::try_from(into).unwrap_or(0).min(to - from - 1);
            let start = guess.saturating_sub(PAGE_ENTRIES / 2).max(from);
            let page = self.read(start, PAGE_ENTRIES.min(to - start))?;
            let (Some(lowest), Some(highest)) = (page.first(), page.last()) else {
                return Ok(false);
            };
            if wanted < *lowest {
                (to, high_value) = (start, prefix_number(*lowest));
            } else if wanted > *highest {
                (from, low_value) = (start + page.len() as u64, prefix_number(*highest));
            } else {
                return Ok(page.binary_search(&wanted).is_ok());
            }
            // The range is empty. This also ends the search in an unsorted file.
            if prefix_number(wanted) < low_value || prefix_number(wanted) >= high_value {
                return Ok(false);
            }
        }
        Ok(false)
    }

    fn read(&self, start: u64, count: u64) -> io::Result<Vec<Sha1Prefix>> {
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0) * PREFIX_BYTES];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(HEADER + start * PREFIX_BYTES as u64))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes.as_chunks().0.to_vec())
    }
}

impl fmt::Debug for BreachFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreachFilter")
            .field("path", &self.path)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

fn hash_prefix(password: &str) -> Sha1Prefix {
    let mut entry = [0; PREFIX_BYTES];
    entry.copy_from_slice(
        &digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref()[..PREFIX_BYTES],
    );
    entry
}

fn prefix_number(entry: Sha1Prefix) -> u64 {
    entry
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests;
