//! Output to standard output and standard error. Untrusted text (names, comments, answers of
//! servers) is escaped, so that it cannot control the terminal.

use std::{
    fmt::Display,
    io::{self, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

/// True after a write to standard output failed.
static WRITE_FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a line to standard output. A closed pipe (`strongroom user list | head -1`) is no error.
/// Another failure, such as a full disk, is reported by [`write_failed`].
macro_rules! out {
    ($($line:tt)*) => { $crate::output::print(&format!($($line)*)) };
}

pub(crate) fn print(line: &str) {
    let written = writeln!(io::stdout(), "{}", escape_controls(line));
    if written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        WRITE_FAILED.store(true, Ordering::Relaxed);
    }
}

/// Flushes standard output. True if any write failed: a truncated list looks complete, and a lost
/// link exists all the same, so the program must fail.
pub(crate) fn write_failed() -> bool {
    let flushed = io::stdout().flush();
    flushed.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe)
        || WRITE_FAILED.load(Ordering::Relaxed)
}

/// Prints a line to standard error.
macro_rules! err {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "{}", $crate::output::escape_controls(&format!($($line)*)));
    }};
}

/// Escapes control characters (and so every ANSI sequence), direction overrides and invisible
/// characters as code points. Line breaks stay: untrusted text needs [`on_one_line`] first.
pub(crate) fn escape_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && (c.is_control() || vault::filename::is_invisible(c)) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Escapes untrusted text, line breaks included, so that it cannot imitate a line of the program.
pub(crate) fn on_one_line(text: &str) -> String {
    escape_controls(text).replace('\n', "\\n")
}

/// A number with its noun: `1 entry`, `2 entries`.
pub(crate) fn count<N: Copy + Display + PartialEq + From<u8>>(
    n: N,
    one: &str,
    many: &str,
) -> String {
    let noun = if n == N::from(1) { one } else { many };
    format!("{n} {noun}")
}

#[cfg(test)]
mod tests {
    use super::{escape_controls, on_one_line};

    #[test]
    fn output_escapes_control_and_bidi_characters() {
        let hostile =
            "a\u{1b}[2J\u{9b}31m\u{202e}b\u{2066}\u{85}\r\u{8}\u{7f}\u{e0041}\u{61c}\u{feff}é 日本";
        let escaped = escape_controls(hostile);
        assert_eq!(
            escaped,
            "a\\u{1b}[2J\\u{9b}31m\\u{202e}b\\u{2066}\\u{85}\\u{d}\\u{8}\\u{7f}\\u{e0041}\\u{61c}\\u{feff}é 日本"
        );
    }

    #[test]
    fn output_escapes_line_breaks_in_untrusted_text() {
        assert_eq!(
            on_one_line("a\nSigned in to https://evil.example"),
            "a\\nSigned in to https://evil.example"
        );
    }
}
