//! Whether a provider's token is signed by one key of the provider's, and plainly so (RFC 7515 §5.2, RFC 8725 §3).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use openidconnect::JsonWebKey as _;
use serde::Deserialize;
use serde_json::Value;

use super::provider_key::{ProviderKey, algorithm_by_name};

/// What of a header counts. A member that is there twice makes it none.
#[derive(Deserialize)]
struct JwsHeader {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood: none is.
    crit: Option<Value>,
    /// RFC 7797: a payload that is not encoded.
    b64: Option<Value>,
}

/// Keys that a token brings along (`jwk`, `jku`, `x5c`) are not looked at.
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
    // Two keys that it could be are none: which one is meant would be the token's to say.
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
