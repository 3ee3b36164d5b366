//! The account that a page was drawn for. Tabs share one cookie: after another tab has signed in as
//! another user, a page of the first user must not act as the second. Every request of a page names
//! the account by an opaque id, in a header, or in a form in a field.

use auth::Username;
use aws_lc_rs::digest::{SHA256, digest};
use http::{HeaderName, request::Parts};

const HEADER: HeaderName = HeaderName::from_static("x-strongroom-account");
/// The name in a form, and in the query of an event stream, which takes no headers.
pub(crate) const FIELD: &str = "account";
/// Of the hash.
const ID_BYTES: usize = 16;

/// The id of an account in its pages: the start of a SHA-256.
#[must_use]
pub(crate) fn page_account(username: &str) -> String {
    let hash = digest(&SHA256, format!("page\0{username}").as_bytes());
    hex::encode(&hash.as_ref()[..ID_BYTES])
}

/// Whether the header or the query names this account, or none.
#[must_use]
pub(crate) fn is_page_of(parts: &Parts, username: &Username) -> bool {
    let header = parts.headers.get(HEADER).map(http::HeaderValue::as_bytes);
    let named = header.or_else(|| stream_account(parts));
    named.is_none_or(|id| id == page_account(username.as_str()).as_bytes())
}

fn stream_account(parts: &Parts) -> Option<&[u8]> {
    let query = parts
        .uri
        .query()
        .filter(|_| parts.uri.path().ends_with("/events"))?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(FIELD)?.strip_prefix('='))
        .map(str::as_bytes)
}
