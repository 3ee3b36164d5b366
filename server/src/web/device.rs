//! Labels for `User-Agent` headers.

pub(crate) use auth::session::client_info::browser_label;
