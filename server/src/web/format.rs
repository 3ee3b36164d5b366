//! Formats sizes, times and URLs. The scripts format them the same way (`assets/js/format.js`).

use std::fmt::Write as _;

use jiff::Timestamp;

const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];

/// Decimal units, as in file managers: `812 B`, `1.6 MB`, `52 MB`.
pub(super) fn size(bytes: i64) -> String {
    let mut whole = bytes.unsigned_abs();
    let mut tenths = whole * 10;
    let mut unit = 0;
    while whole >= 1000 && unit + 1 < UNITS.len() {
        tenths = (tenths + 500) / 1000;
        whole = tenths / 10;
        unit += 1;
    }
    if unit == 0 || tenths >= 100 {
        format!("{} {}", (tenths + 5) / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

/// The text of a `<time>` element, until the script replaces it with local time.
pub(super) fn time(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Percent-encodes one path segment: everything except unreserved characters (RFC 3986 §2.3).
pub(super) fn segment(raw: &str) -> String {
    raw.bytes()
        .fold(String::with_capacity(raw.len()), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
            out
        })
}

/// Percent-encodes each segment of a path and keeps the slashes.
pub(super) fn path(raw: &str) -> String {
    raw.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_sizes_are_formatted_with_decimal_units() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1_572_864, "1.6 MB"),
            (9_960_000, "10 MB"),
            (52_428_800, "52 MB"),
            (999_999, "1.0 MB"),
            (10_737_418_240, "11 GB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn url_segment_encodes_reserved_characters() {
        assert_eq!(segment("a/b?c#d e\"é"), "a%2Fb%3Fc%23d%20e%22%C3%A9");
        assert_eq!(path("a b/c#d"), "a%20b/c%23d");
    }
}
