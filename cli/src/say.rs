//! What the program says, on standard output and standard error.

/// Prints a line. Whoever stopped listening (`strongroom user list | head -1`) is no reason to fail.
macro_rules! say {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($line)*);
    }};
}

/// As [`say`], on standard error.
macro_rules! complain {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($line)*);
    }};
}
