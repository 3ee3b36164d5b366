//! One access-token signing key, as a JWK (RFC 7517). A key has one algorithm, independent of the
//! token's header (RFC 8725 §3.1). Keys and key URLs in a token (`jwk`, `jku`, `x5u`) are never
//! used.

use std::sync::Arc;

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{AuthError, SecureRandom};

/// The signature algorithm of access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// HMAC with SHA-256 (RFC 7518 §3.2). A verifier could also sign, so only Strongroom verifies.
    Hs256,
    /// Ed25519 (RFC 8037). The public key is published.
    EdDsa,
}

impl SigningAlgorithm {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Parses the registered name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Hs256, Self::EdDsa]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    fn jwa(self) -> Algorithm {
        match self {
            Self::Hs256 => Algorithm::HS256,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }
}

/// A JWK as stored. Unknown members are ignored (RFC 7517 §4).
#[derive(Serialize, Deserialize)]
struct Jwk {
    kty: String,
    alg: String,
    #[serde(rename = "use")]
    usage: String,
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    k: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<String>,
}

/// Cannot print.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pub(crate) algorithm: SigningAlgorithm,
    /// `None` if only the public key was given.
    signing: Option<EncodingKey>,
    verifying: VerifyingKey,
    /// The header of tokens, and its base64url encoding.
    header: (Arc<Header>, String),
    /// The public key in base64url; `None` for a shared secret.
    public: Option<String>,
}

enum VerifyingKey {
    Shared(Box<hmac::Key>),
    Public(DecodingKey),
}

/// The token header for a key with this id.
fn encoded_header(algorithm: SigningAlgorithm, kid: &str) -> Option<(Arc<Header>, String)> {
    let mut header = Header::new(algorithm.jwa());
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(kid.to_owned());
    let text = BASE64URL.encode(serde_json::to_vec(&header).ok()?);
    Some((Arc::new(header), text))
}

/// Generates a key of 256 random bits, as a private JWK.
pub(crate) fn new_jwk(
    algorithm: SigningAlgorithm,
    kid: &str,
    rng: &SecureRandom,
) -> Result<SecretSlice<u8>, AuthError> {
    jwk_from_secret(algorithm, kid, &rng.bytes())
}

pub(crate) fn jwk_from_secret(
    algorithm: SigningAlgorithm,
    kid: &str,
    secret: &[u8; 32],
) -> Result<SecretSlice<u8>, AuthError> {
    let encoded = Some(BASE64URL.encode(secret));
    let (alg, usage, kid) = (
        algorithm.as_str().to_owned(),
        "sig".to_owned(),
        kid.to_owned(),
    );
    let jwk = match algorithm {
        SigningAlgorithm::Hs256 => Jwk {
            kty: "oct".to_owned(),
            alg,
            usage,
            kid,
            k: encoded,
            crv: None,
            x: None,
            d: None,
        },
        SigningAlgorithm::EdDsa => {
            let pair = Ed25519KeyPair::from_seed_unchecked(secret)
                .map_err(|_| AuthError::Internal("could not derive an Ed25519 key pair"))?;
            let (crv, x) = (
                Some("Ed25519".to_owned()),
                Some(BASE64URL.encode(pair.public_key())),
            );
            Jwk {
                kty: "OKP".to_owned(),
                alg,
                usage,
                kid,
                k: None,
                crv,
                x,
                d: encoded,
            }
        }
    };
    let json = serde_json::to_vec(&jwk)
        .map_err(|_| AuthError::Internal("a signing key could not be serialized"))?;
    Ok(json.into())
}

impl SigningKey {
    /// `None` for a JWK of an unsupported algorithm, with another use, or too short.
    pub(crate) fn from_jwk(json: &[u8]) -> Option<Self> {
        let jwk: Jwk = serde_json::from_slice(json).ok()?;
        (jwk.usage == "sig" && !jwk.kid.is_empty()).then_some(())?;
        match (jwk.kty.as_str(), SigningAlgorithm::parse(&jwk.alg)?) {
            ("oct", SigningAlgorithm::Hs256) => Self::from_shared_secret(jwk),
            ("OKP", SigningAlgorithm::EdDsa) => Self::from_key_pair(jwk),
            _ => None,
        }
    }

    fn from_shared_secret(jwk: Jwk) -> Option<Self> {
        let secret = SecretSlice::from(BASE64URL.decode(jwk.k?).ok()?);
        let secret = secret.expose_secret();
        // RFC 7518 §3.2: at least as long as the hash. A JWK with members of two key types is
        // rejected.
        (secret.len() >= 32 && jwk.x.is_none() && jwk.d.is_none()).then_some(())?;
        Some(Self {
            header: encoded_header(SigningAlgorithm::Hs256, &jwk.kid)?,
            kid: jwk.kid,
            algorithm: SigningAlgorithm::Hs256,
            signing: Some(EncodingKey::from_secret(secret)),
            verifying: VerifyingKey::Shared(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret))),
            public: None,
        })
    }

    fn from_key_pair(jwk: Jwk) -> Option<Self> {
        (jwk.crv.as_deref() == Some("Ed25519") && jwk.k.is_none()).then_some(())?;
        let x = jwk.x?;
        let public: [u8; 32] = BASE64URL.decode(&x).ok()?.try_into().ok()?;
        let signing = match jwk.d {
            Some(d) => Some(private_key(&BASE64URL.decode(d).ok()?, &public)?),
            None => None,
        };
        Some(Self {
            header: encoded_header(SigningAlgorithm::EdDsa, &jwk.kid)?,
            kid: jwk.kid,
            algorithm: SigningAlgorithm::EdDsa,
            signing,
            verifying: VerifyingKey::Public(DecodingKey::from_ed_der(&public)),
            public: Some(x),
        })
    }

    /// The JWK to publish (RFC 7517 §4, RFC 8037 §2); `None` for a shared secret.
    pub(crate) fn public_jwk(&self) -> Option<Value> {
        let x = self.public.as_ref()?;
        Some(
            json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": x}),
        )
    }

    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, AuthError> {
        let failed = AuthError::Internal("signing an access token failed");
        let Some(key) = &self.signing else {
            return Err(failed);
        };
        jsonwebtoken::encode(&self.header.0, claims, key).map_err(|_| failed)
    }

    /// Returns the payload of a compact JWS (RFC 7515 §7.1) if this key signed it. Does not
    /// validate claims.
    pub(crate) fn verify_payload(&self, token: &str, header: &Header) -> Option<Vec<u8>> {
        let is_ours = header.alg == self.algorithm.jwa() && header.kid.as_ref() == Some(&self.kid);
        if is_ours {
            self.verified_payload(token)
        } else {
            None
        }
    }

    /// As `verify_payload`, for a header that is known to match.
    fn verified_payload(&self, token: &str) -> Option<Vec<u8>> {
        let (message, signature) = token.rsplit_once('.')?;
        let (_, payload) = message.split_once('.')?;
        self.verify(message.as_bytes(), signature).then_some(())?;
        BASE64URL.decode(payload).ok()
    }

    /// Verifies `signature`, which is in base64url.
    pub(crate) fn verify(&self, message: &[u8], signature: &str) -> bool {
        match &self.verifying {
            // The key is prepared once: setting it up costs as much as the hash.
            VerifyingKey::Shared(key) => BASE64URL
                .decode(signature)
                .is_ok_and(|tag| hmac::verify(key, message, &tag).is_ok()),
            VerifyingKey::Public(key) => {
                jsonwebtoken::crypto::verify(signature, message, key, self.algorithm.jwa())
                    .unwrap_or(false)
            }
        }
    }
}

fn private_key(seed: &[u8], public: &[u8; 32]) -> Option<EncodingKey> {
    let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).ok()?;
    pair.to_pkcs8v1()
        .ok()
        .map(|document| EncodingKey::from_ed_der(document.as_ref()))
}

/// A snapshot of the key ring: one key signs, and all verify, selected by key id.
pub(crate) struct VerificationKeys {
    signing: SigningKey,
    retired: Vec<SigningKey>,
}

/// The result of parsing a token.
pub(crate) enum ParsedToken {
    /// Signed by one of the keys.
    Signed(Arc<Header>, Vec<u8>),
    /// The key id is unknown.
    UnknownKey,
    /// Malformed, or with an invalid signature.
    Malformed,
}

impl VerificationKeys {
    /// `None` for a duplicate key id: a key id must select one key.
    pub(crate) fn new(signing: SigningKey, retired: Vec<SigningKey>) -> Option<Self> {
        let mut names: Vec<&str> = std::iter::once(&signing)
            .chain(&retired)
            .map(|key| key.kid.as_str())
            .collect();
        names.sort_unstable();
        let has_duplicate = names.windows(2).any(|pair| pair[0] == pair[1]);
        (!has_duplicate).then_some(Self { signing, retired })
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.signing
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.signing).chain(&self.retired)
    }

    pub(crate) fn parse(&self, token: &str) -> ParsedToken {
        // Fast path: nearly every token has the header that this key produces.
        let header_text = token.split_once('.').map_or("", |(header, _)| header);
        if let Some(key) = self.all().find(|key| key.header.1 == header_text) {
            let payload = key.verified_payload(token);
            return payload.map_or(ParsedToken::Malformed, |payload| {
                ParsedToken::Signed(Arc::clone(&key.header.0), payload)
            });
        }
        let Ok(header) = jsonwebtoken::decode_header(token) else {
            return ParsedToken::Malformed;
        };
        let Some(kid) = &header.kid else {
            return ParsedToken::Malformed;
        };
        let Some(key) = self.all().find(|key| key.kid == *kid) else {
            return ParsedToken::UnknownKey;
        };
        key.verify_payload(token, &header)
            .map_or(ParsedToken::Malformed, |payload| {
                ParsedToken::Signed(Arc::new(header), payload)
            })
    }
}

#[cfg(test)]
mod tests;
