//! Progress, on standard error; the table goes to standard output.

use std::io::Write as _;

pub(crate) fn report(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
