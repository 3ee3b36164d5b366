//! How others reach the server: the listen address, the public URL and the proxies.

use std::net::{IpAddr, SocketAddr};

use super::ConfigError;
use crate::url_host::host_of;

/// How other machines can reach the server, directly or through a proxy on this machine. `None` if
/// they cannot.
pub(super) fn exposure(
    listen: SocketAddr,
    public_url: Option<&str>,
    proxies: Option<&[IpAddr]>,
) -> Option<String> {
    if !listen.ip().is_loopback() {
        return Some(format!("would listen on {listen}"));
    }
    let is_here = |host: &str| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || bare
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    };
    match public_url {
        Some(url) if !is_here(&host_of(url)) => Some(format!("would be reachable at {url}")),
        _ => proxies
            .is_some_and(|proxies| !proxies.is_empty())
            .then(|| "would run behind a proxy".to_owned()),
    }
}

pub(super) fn missing_mode_message(exposure: &str) -> String {
    format!(
        "Strongroom {exposure}, where others can reach it, but no registration mode is set. \
         Set registration.mode (or STRONGROOM_REGISTRATION, or --registration) to \"closed\" to create accounts yourself, \
         or to \"open\" if anyone who can reach this address may register."
    )
}

/// The URL for a browser on this machine.
pub(super) fn default_url(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        format!("http://localhost:{}", listen.port())
    } else {
        format!("http://{listen}")
    }
}

pub(super) fn public_url(
    configured: Option<String>,
    listen: SocketAddr,
) -> Result<String, ConfigError> {
    let Some(url) = configured else {
        return Ok(default_url(listen));
    };
    let url = url.trim_end_matches('/').to_owned();
    let is_valid = url.split_once("://").is_some_and(|(scheme, host)| {
        matches!(scheme, "http" | "https")
            && !host.contains('@')
            && host.parse::<http::uri::Authority>().is_ok()
    });
    if is_valid {
        Ok(url)
    } else {
        let shown = url.escape_default();
        Err(ConfigError(format!(
            "public_url must be a scheme and a host, like https://files.example.org, not \"{shown}\"."
        )))
    }
}
