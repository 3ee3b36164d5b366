//! Pages for people.

pub(crate) mod cookie;

use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Scripts, styles and images from here only; nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn allow_page(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
}

pub(crate) fn error_page(status: StatusCode, detail: &str, id: &str) -> String {
    format!("{status} {} {id}", detail.len())
}
