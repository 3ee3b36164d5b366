//! The host name and port in a configured URL.

use http::Uri;

/// The host of a URL such as `https://files.example.org`, in lower case.
#[must_use]
pub(crate) fn host_of(url: &str) -> String {
    url.parse::<Uri>()
        .ok()
        .and_then(|url| url.host().map(str::to_ascii_lowercase))
        .unwrap_or_default()
}

/// The port of a URL, unless it is the scheme's own.
#[must_use]
pub(crate) fn port_of(url: &str) -> Option<u16> {
    let url = url.parse::<Uri>().ok()?;
    let own = if url.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    url.port_u16().filter(|port| *port != own)
}
