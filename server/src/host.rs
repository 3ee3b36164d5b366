//! The host name of a request. Another site can point its own name at this machine (DNS rebinding).
//! The browser then takes this server for that site, and only the `Host` header reveals it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use http::{Extensions, HeaderMap, header, uri::Authority};

use crate::site::SiteInfo;

/// Headers by which proxies mark a forwarded request.
const FORWARDED_HEADERS: [&str; 7] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-server",
    "x-real-ip",
    "forwarded",
    "via",
];

/// Whether this server serves the host of the request. It serves the host of `public_url`,
/// `localhost`, and IP addresses, which DNS cannot redirect. A request that a trusted proxy forwards
/// may have any host: the proxy may name this machine as it likes. A request without `Host` is not
/// from a browser.
pub(crate) fn is_allowed_host(request: &Request, site: &SiteInfo) -> bool {
    let from_proxy = is_from_proxy(request.extensions(), site);
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host_matches = match (hosts.next(), hosts.next()) {
        (None, _) => true,
        (Some(host), None) => host
            .to_str()
            .is_ok_and(|host| matches_host(host, &site.host)),
        (Some(_), Some(_)) => false,
    };
    let target_matches = request
        .uri()
        .authority()
        .is_none_or(|authority| matches_host(authority.as_str(), &site.host));
    (from_proxy && is_forwarded(request.headers())) || (host_matches && target_matches)
}

fn is_from_proxy(extensions: &Extensions, site: &SiteInfo) -> bool {
    let peer = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip().to_canonical());
    peer.is_some_and(|peer| {
        site.config
            .trusted_proxies
            .iter()
            .any(|p| p.to_canonical() == peer)
    })
}

/// The public URL, if it is https and the page was opened at another address. Browsers do not send
/// our cookies there, and the forms are refused. A trusted proxy may rewrite `Host`, so a request
/// that it forwards counts only with `X-Forwarded-Proto: http`.
pub(crate) fn proper_url<'a>(
    headers: &HeaderMap,
    extensions: &Extensions,
    site: &'a SiteInfo,
) -> Option<&'a str> {
    let url = site.config.public_url.as_str();
    let public = url.strip_prefix("https://")?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_elsewhere = if is_from_proxy(extensions, site) && is_forwarded(headers) {
        text("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("http"))
    } else {
        let host = text(header::HOST.as_str())?;
        let host = host.strip_suffix(":443").unwrap_or(host);
        !host.eq_ignore_ascii_case(public.strip_suffix(":443").unwrap_or(public))
    };
    is_elsewhere.then_some(url)
}

/// Whether a header says that a proxy forwards the request.
fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDED_HEADERS
        .iter()
        .any(|name| headers.contains_key(*name))
}

fn matches_host(authority: &str, own_host: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else {
        return false;
    };
    let host = authority.host();
    let rest = authority.as_str().strip_prefix(host).unwrap_or("?");
    if !rest.is_empty()
        && !rest
            .strip_prefix(':')
            .is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
    {
        return false;
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.eq_ignore_ascii_case(own_host)
        || host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url_host::host_of;

    #[test]
    fn host_header_must_be_own_name_or_address() {
        let ours = host_of("https://Files.example.org:8443");
        for host in [
            "files.example.org",
            "FILES.example.org:8443",
            "localhost:8000",
            "127.0.0.1:8000",
            "[::1]:8000",
        ] {
            assert!(matches_host(host, &ours), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8000",
            "files.example.org.evil.example",
            "localhost.evil.example",
            "files.example.org@evil.example",
            "127.0.0.1.evil.example",
            "",
            ":8000",
            "a b",
            "[::1].evil.example",
        ] {
            assert!(!matches_host(host, &ours), "{host}");
        }
    }
}
