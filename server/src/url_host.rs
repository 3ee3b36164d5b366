//! The host name in a configured URL.

use http::Uri;

/// The host of a URL such as `https://files.example.org`, in lower case.
#[must_use]
pub(crate) fn host_of(url: &str) -> String {
    url.parse::<Uri>()
        .ok()
        .and_then(|url| url.host().map(str::to_ascii_lowercase))
        .unwrap_or_default()
}
