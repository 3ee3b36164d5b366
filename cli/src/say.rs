//! What the program says, on standard output and standard error. Whatever was written by others (names, comments, what a
//! server answers) shows as it is, and makes a terminal do nothing.

use std::{
    io::{self, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether something that was said did not get to where it was to go.
static LOST: AtomicBool = AtomicBool::new(false);

/// Prints a line. Whoever stopped listening (`strongroom user list | head -1`) is no reason to fail; a disk that is full
/// is one, [in the end](lost).
macro_rules! say {
    ($($line:tt)*) => { $crate::say::print(&format!($($line)*)) };
}

pub(crate) fn print(line: &str) {
    let said = writeln!(io::stdout(), "{}", harmless(line));
    if said.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// A link that nobody saw was made all the same, and a list that was cut off looks whole: the program says so, and fails.
pub(crate) fn lost() -> bool {
    let flushed = io::stdout().flush();
    flushed.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe)
        || LOST.load(Ordering::Relaxed)
}

/// As [`say`], on standard error.
macro_rules! complain {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "{}", $crate::say::harmless(&format!($($line)*)));
    }};
}

/// Controls (and with them every ANSI sequence), direction overrides and what shows nothing, as code points. Our own lines
/// may be several: somebody else's text goes through [`on_one_line`] first.
pub(crate) fn harmless(text: &str) -> String {
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

/// What somebody else wrote, so that it cannot look like a line of ours.
pub(crate) fn on_one_line(text: &str) -> String {
    harmless(text).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::{harmless, on_one_line};

    #[test]
    fn output_escapes_control_and_bidi_characters() {
        let hostile =
            "a\u{1b}[2J\u{9b}31m\u{202e}b\u{2066}\u{85}\r\u{8}\u{7f}\u{e0041}\u{61c}\u{feff}é 日本";
        let said = harmless(hostile);
        assert_eq!(
            said,
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
