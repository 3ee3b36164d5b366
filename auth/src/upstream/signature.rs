//! Verifies that a provider's token is signed by exactly one of its keys (RFC 7515 §5.2, RFC 8725
//! §3).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use openidconnect::JsonWebKey as _;
use serde::Deserialize;
use serde_json::Value;

use super::provider_key::{ProviderKey, algorithm_by_name};

/// The relevant header members. A duplicate member is an error.
#[derive(Deserialize)]
struct JwsHeader {
    alg: String,
    kid: Option<String>,
    /// Critical extensions. None is supported, so any is rejected.
    crit: Option<Value>,
    /// RFC 7797: an unencoded payload.
    b64: Option<Value>,
}

/// Keys inside the token (`jwk`, `jku`, `x5c`) are ignored.
pub(crate) fn verify_signature(token: &str, keys: &[ProviderKey]) -> bool {
    verify(token, keys).is_some()
}

fn verify(token: &str, keys: &[ProviderKey]) -> Option<()> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let header: JwsHeader = serde_json::from_slice(&BASE64URL.decode(header).ok()?).ok()?;
    BASE64URL.decode(payload).ok()?;
    if header.crit.is_some() || header.b64.is_some() {
        return None;
    }
    let algorithm = algorithm_by_name(&header.alg)?;
    let mut matching = keys
        .iter()
        .filter(|key| key.matches(header.kid.as_deref(), &algorithm));
    // Two candidate keys are rejected: the token must not choose which one applies.
    let (key, None) = (matching.next()?, matching.next()) else {
        return None;
    };
    key.verify_signature(
        &algorithm,
        message.as_bytes(),
        &BASE64URL.decode(signature).ok()?,
    )
    .ok()
}

#[cfg(test)]
mod tests;
