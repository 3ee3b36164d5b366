//! The dialects of CSV that spreadsheet programs write: encoding, separator, spelling of the column
//! names, and empty rows. What the columns mean is in `import.rs`.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use csv::{ByteRecord, StringRecord};

/// Tried in this order. Spreadsheets write `;` where the comma is the decimal separator.
const SEPARATORS: [Separator; 4] = [
    Separator(b','),
    Separator(b';'),
    Separator(b'\t'),
    Separator(b'|'),
];

/// Spreadsheets write the separator as the first line: `sep=;`.
const SEPARATOR_LINE: &[u8] = b"sep=";

#[derive(Clone, Copy)]
struct Separator(u8);

/// The columns that the caller reads. Others are ignored.
pub(super) struct Wanted {
    pub required: &'static [&'static str],
    pub optional: &'static [&'static str],
}

/// A file whose first row named all required columns.
pub(super) struct Table {
    columns: Vec<String>,
    rows: Vec<Line>,
}

/// A record that has a cell with text.
struct Line {
    number: u64,
    record: ByteRecord,
}

/// A row below the column names.
pub(super) struct Row {
    /// Counts from 1.
    pub line: u64,
    pub cells: anyhow::Result<Cells>,
}

pub(super) struct Cells {
    columns: Vec<String>,
    record: StringRecord,
}

impl Cells {
    /// Without the white space around it. Empty if the row or the file does not have it.
    pub(super) fn get(&self, column: &str) -> &str {
        let position = self.columns.iter().position(|name| name == column);
        position
            .and_then(|position| self.record.get(position))
            .unwrap_or_default()
            .trim()
    }
}

impl Table {
    /// # Errors
    ///
    /// The encoding or the separator is none of those above, or a required column is missing or
    /// stands twice.
    fn parse(bytes: Vec<u8>, wanted: &Wanted) -> anyhow::Result<Self> {
        let bytes = to_utf8(bytes)?;
        let chosen = stated_separator(&bytes)?;
        let candidates = chosen
            .as_ref()
            .map_or(&SEPARATORS[..], std::slice::from_ref);
        for separator in candidates {
            let mut rows = lines(&bytes, *separator)?;
            if chosen.is_some() {
                rows.remove(0);
            }
            let columns = rows.first().map(column_names).unwrap_or_default();
            if wanted.required.iter().all(|name| has(&columns, name)) {
                require_unique(&columns, wanted)?;
                rows.remove(0);
                return Ok(Self { columns, rows });
            }
        }
        Err(missing_column(&bytes, candidates, wanted.required))
    }

    pub(super) fn rows(self) -> impl Iterator<Item = Row> {
        let Self { columns, rows } = self;
        rows.into_iter().map(move |line| Row {
            line: line.number,
            cells: cells(&columns, line.record),
        })
    }
}

/// Reads the whole file, so that a missing column is told before the first account is made.
pub(super) fn read(file: &Path, wanted: &Wanted) -> anyhow::Result<Table> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Table::parse(bytes, wanted).with_context(|| file.display().to_string())
}

/// Text with a byte order mark is decoded. Other text stays as it is: a row that is no UTF-8 is an
/// error of that row.
fn to_utf8(bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    match bytes.as_slice() {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            bail!("the encoding is UTF-32; save the file as UTF-8")
        }
        [0xff, 0xfe, text @ ..] => from_utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => from_utf16(text, u16::from_be_bytes),
        [first, 0, ..] if *first != 0 => from_utf16(&bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => from_utf16(&bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => Ok(text.to_vec()),
        _ => Ok(bytes),
    }
}

fn from_utf16(text: &[u8], unit: fn([u8; 2]) -> u16) -> anyhow::Result<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let decoded: Result<String, _> = char::decode_utf16(units).collect();
    match decoded {
        Ok(text) if rest.is_empty() => Ok(text.into_bytes()),
        _ => {
            bail!("the encoding looks like UTF-16, but the text is damaged; save the file as UTF-8")
        }
    }
}

fn first_line(bytes: &[u8]) -> &[u8] {
    bytes
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .next()
        .unwrap_or_default()
}

/// The separator that the first line states.
fn stated_separator(bytes: &[u8]) -> anyhow::Result<Option<Separator>> {
    let line = first_line(bytes);
    let unquoted = line
        .strip_prefix(b"\"")
        .and_then(|line| line.strip_suffix(b"\""))
        .unwrap_or(line);
    let Some((prefix, separator)) = unquoted.split_at_checked(SEPARATOR_LINE.len()) else {
        return Ok(None);
    };
    if !prefix.eq_ignore_ascii_case(SEPARATOR_LINE) {
        return Ok(None);
    }
    match separator {
        [byte, ..] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b'"' => {
            Ok(Some(Separator(*byte)))
        }
        _ => bail!("the first line names no separator; write sep=, or sep=; there"),
    }
}

/// All records with text in them.
fn lines(bytes: &[u8], separator: Separator) -> anyhow::Result<Vec<Line>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator.0)
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    let mut lines = Vec::new();
    let (mut number, mut counted) = (1, 0);
    for record in reader.byte_records() {
        let record = record?;
        // Before the empty lines above the record. The crate's own number is of that line too.
        let read_from = record.position().map_or(0, csv::Position::byte);
        let read_from = usize::try_from(read_from)?.min(bytes.len());
        let start = read_from + leading_line_ends(&bytes[read_from..]);
        number += count_line_ends(&bytes[counted..start]);
        counted = start;
        if !record.iter().all(|cell| cell.trim_ascii().is_empty()) {
            lines.push(Line { number, record });
        }
    }
    Ok(lines)
}

fn leading_line_ends(bytes: &[u8]) -> usize {
    let is_end = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
    bytes.iter().take_while(is_end).count()
}

/// `\r\n` is one end.
fn count_line_ends(bytes: &[u8]) -> u64 {
    let is_end = |at: usize| match bytes[at] {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    (0..bytes.len()).map(|at| u64::from(is_end(at))).sum()
}

/// In lower case, with `_` for spaces and hyphens: `Hashed Password` is `hashed_password`.
fn column_names(line: &Line) -> Vec<String> {
    let name = |cell| {
        let text = String::from_utf8_lossy(cell);
        text.trim().to_lowercase().replace([' ', '-'], "_")
    };
    line.record.iter().map(name).collect()
}

fn require_unique(columns: &[String], wanted: &Wanted) -> anyhow::Result<()> {
    for name in wanted.required.iter().chain(wanted.optional) {
        if columns.iter().filter(|column| column == name).count() > 1 {
            bail!("the column {name} stands twice");
        }
    }
    Ok(())
}

/// Cells that a row leaves out at its end are empty. A spreadsheet leaves out empty ones.
fn cells(columns: &[String], record: ByteRecord) -> anyhow::Result<Cells> {
    let record = StringRecord::from_byte_record(record)
        .map_err(|_| anyhow!("not valid UTF-8; save the file as \"CSV UTF-8\""))?;
    let count = record.len();
    if record
        .iter()
        .skip(columns.len())
        .any(|cell| !cell.trim().is_empty())
    {
        bail!("{count} columns, but the first line has {}", columns.len());
    }
    Ok(Cells {
        columns: columns.to_vec(),
        record,
    })
}

fn missing_column(bytes: &[u8], tried: &[Separator], required: &[&str]) -> anyhow::Error {
    let best = tried
        .iter()
        .filter_map(|separator| lines(bytes, *separator).ok())
        .filter_map(|lines| lines.first().map(column_names))
        .max_by_key(|columns| required.iter().filter(|name| has(columns, name)).count())
        .unwrap_or_default();
    let missing = required.iter().find(|name| !has(&best, name));
    anyhow!(
        "no column {}; the first line must name the columns, separated by comma, semicolon, tab \
         or |, in UTF-8 or UTF-16",
        missing.unwrap_or(&"")
    )
}

fn has(columns: &[String], name: &str) -> bool {
    columns.iter().any(|column| column == name)
}
