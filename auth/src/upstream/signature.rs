//! Verifies that a provider's token is signed by exactly one of its keys (RFC 7515 §5.2, RFC 8725
//! §3).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::Deserialize;
use serde_json::Value;

use super::{algorithm::Algorithm, provider_key::ProviderKey};

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

/// The payload of a token that one of `keys` signed with one of `algorithms`.
///
/// Keys inside the token (`jwk`, `jku`, `x5c`) are ignored.
pub(super) fn verified_payload(
    token: &str,
    keys: &[ProviderKey],
    algorithms: &[Algorithm],
) -> Option<Vec<u8>> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let header: JwsHeader = serde_json::from_slice(&BASE64URL.decode(header).ok()?).ok()?;
    let payload = BASE64URL.decode(payload).ok()?;
    if header.crit.is_some() || header.b64.is_some() {
        return None;
    }
    let algorithm = Algorithm::by_name(&header.alg).filter(|known| algorithms.contains(known))?;
    let key = signing_key(keys, header.kid.as_deref(), algorithm)?;
    let signature = BASE64URL.decode(signature).ok()?;
    key.verify(algorithm, message.as_bytes(), &signature)
        .then_some(payload)
}

/// The only key that the header can mean. Two candidates are rejected: the token must not choose
/// which one applies.
///
/// A key without `kid` is a candidate for any `kid` that no key has (RFC 7517 §4.5: `kid` is
/// optional).
fn signing_key<'k>(
    keys: &'k [ProviderKey],
    kid: Option<&str>,
    algorithm: Algorithm,
) -> Option<&'k ProviderKey> {
    let is_named = kid.is_some() && keys.iter().any(|key| key.kid() == kid);
    let mut candidates = keys.iter().filter(|key| {
        let may_be_meant = match key.kid() {
            _ if kid.is_none() => true,
            None => !is_named,
            own => own == kid,
        };
        may_be_meant && key.supports(algorithm)
    });
    candidates.next().filter(|_| candidates.next().is_none())
}

#[cfg(test)]
mod tests;
