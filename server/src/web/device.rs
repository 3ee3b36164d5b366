//! Labels for `User-Agent` headers.

pub(crate) use auth::place::browser_label;
