//! Cross-site checks for streams authenticated by cookie: a page of another site must not open one
//! with the user's cookie. Bearer tokens and tickets need no check, because browsers do not attach
//! them on their own.

use auth::{AuthError, Caller, access::policy::AuthVia, error::AccessError};
use http::{HeaderMap, header::ORIGIN};

/// For `/ws`. Browsers send `Origin` with every WebSocket (RFC 6455 §10.2), and CORS does not
/// apply. A cookie without this server's origin is therefore rejected.
///
/// # Errors
/// `AccessError::CrossSite`.
pub fn check_socket_origin(
    caller: &Caller,
    headers: &HeaderMap,
    is_own: impl Fn(&str) -> bool,
) -> Result<(), AuthError> {
    if caller.via() != AuthVia::Cookie || is_own_origin(headers, is_own) == Some(true) {
        return Ok(());
    }
    Err(AuthError::Access(AccessError::CrossSite))
}

/// For `/api/events`. A browser sends no `Origin` with a same-origin GET, and no `Sec-Fetch-Site`
/// over plain HTTP. Another site could start the stream but never read it. The request is rejected
/// if either header names another site.
///
/// # Errors
/// `AccessError::CrossSite`.
pub fn check_stream_origin(
    caller: &Caller,
    headers: &HeaderMap,
    is_own: impl Fn(&str) -> bool,
) -> Result<(), AuthError> {
    if caller.via() != AuthVia::Cookie
        || (is_own_origin(headers, is_own) != Some(false) && !is_cross_site(headers))
    {
        return Ok(());
    }
    Err(AuthError::Access(AccessError::CrossSite))
}

/// `None` without an `Origin`. Two origins, or one that is not text, are foreign.
fn is_own_origin(headers: &HeaderMap, is_own: impl Fn(&str) -> bool) -> Option<bool> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = origins.next()?;
    Some(origins.next().is_none() && origin.to_str().is_ok_and(is_own))
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    sites.any(|site| site != "same-origin" && site != "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn own(origin: &str) -> bool {
        origin == "https://vault.example"
    }

    #[test]
    fn single_own_origin_header_is_accepted() {
        let ours = ("origin", "https://vault.example");
        assert_eq!(is_own_origin(&headers(&[]), own), None);
        assert_eq!(is_own_origin(&headers(&[ours]), own), Some(true));
        for foreign in [
            "null",
            "https://evil.example",
            "https://vault.example.evil.example",
            "",
        ] {
            assert_eq!(
                is_own_origin(&headers(&[("origin", foreign)]), own),
                Some(false),
                "{foreign:?}"
            );
        }
        assert_eq!(
            is_own_origin(&headers(&[ours, ("origin", "https://evil.example")]), own),
            Some(false)
        );
        assert_eq!(is_own_origin(&headers(&[ours, ours]), own), Some(false));
    }

    #[test]
    fn sec_fetch_site_detects_cross_site_requests() {
        for site in ["cross-site", "same-site", "strange"] {
            assert!(
                is_cross_site(&headers(&[("sec-fetch-site", site)])),
                "{site}"
            );
        }
        assert!(!is_cross_site(&headers(&[(
            "sec-fetch-site",
            "same-origin"
        )])));
        assert!(!is_cross_site(&headers(&[])));
        assert!(is_cross_site(&headers(&[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site")
        ])));
    }
}
