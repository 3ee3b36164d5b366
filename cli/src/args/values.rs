//! Parsers of flag values. Each error says what to write instead.

use std::net::{IpAddr, SocketAddr};

use auth::store::NetworkPrefix;

pub(super) fn network(raw: &str) -> Result<NetworkPrefix, &'static str> {
    NetworkPrefix::parse(raw.trim())
        .ok_or("write an address such as 192.0.2.1 or 2001:db8::1, or an IPv6 /48")
}

pub(super) fn address(raw: &str) -> Result<SocketAddr, &'static str> {
    raw.parse()
        .map_err(|_| "write an IP address and a port, such as 127.0.0.1:8000 or [::1]:8000")
}

pub(super) fn proxy(raw: &str) -> Result<IpAddr, &'static str> {
    raw.trim()
        .parse()
        .map_err(|_| "write IP addresses in full: no names, no ranges")
}

/// Parses a value as the TOML file does, so that both accept the same words.
pub(super) fn named<T: serde::de::DeserializeOwned>(raw: &str) -> Result<T, String> {
    use serde::de::{IntoDeserializer, value::Error};
    T::deserialize(raw.into_deserializer()).map_err(|error: Error| error.to_string())
}
