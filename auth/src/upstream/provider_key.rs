//! A provider's published key (RFC 7517) and the verification of its signatures (RFC 7515).
//!
//! A key that is weak, private, ambiguous or for another use is rejected. aws-lc verifies.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;

/// Members of private keys. A key that contains one is compromised (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// Providers mostly use 2048 bits (112 bits of security), which is acceptable until 2030 (SP
/// 800-57). 3072 bits would give 128.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(crate) struct ProviderKey {
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    public: PublicKeyMaterial,
}

#[derive(Clone, Debug)]
enum PublicKeyMaterial {
    /// Modulus and exponent, most significant byte first, without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// Uncompressed points (SEC 1 §2.3.3).
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// Why a key was rejected.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct JwkError(&'static str);

impl TryFrom<Map<String, Value>> for ProviderKey {
    type Error = JwkError;

    fn try_from(published: Map<String, Value>) -> Result<Self, JwkError> {
        if PRIVATE_MEMBERS
            .iter()
            .any(|name| published.contains_key(*name))
        {
            return Err(JwkError("the key has a private member"));
        }
        if text(&published, "use")?.is_some_and(|what| what != "sig") || !allows_verify(&published)?
        {
            return Err(JwkError("the key is not for signatures"));
        }
        let public = material(&published)?;
        let algorithm = text(&published, "alg")?
            .map(|name| Algorithm::by_name(name).ok_or(JwkError("unknown algorithm")))
            .transpose()?;
        if algorithm.is_some_and(|algorithm| !public.supports(algorithm)) {
            return Err(JwkError("the algorithm does not match the key type"));
        }
        let kid = text(&published, "kid")?.map(str::to_owned);
        Ok(Self {
            kid,
            algorithm,
            public,
        })
    }
}

/// RFC 7517 §4.3.
fn allows_verify(published: &Map<String, Value>) -> Result<bool, JwkError> {
    let Some(operations) = published.get("key_ops") else {
        return Ok(true);
    };
    let operations = operations
        .as_array()
        .ok_or(JwkError("key_ops is not an array"))?;
    Ok(operations.iter().any(|operation| operation == "verify"))
}

fn material(published: &Map<String, Value>) -> Result<PublicKeyMaterial, JwkError> {
    let curve = text(published, "crv")?;
    match (text(published, "kty")?, curve) {
        (Some("RSA"), _) => {
            let (n, e) = (number(published, "n")?, number(published, "e")?);
            reject_weak(&n, &e)?;
            Ok(PublicKeyMaterial::Rsa { n, e })
        }
        (Some("EC"), Some("P-256")) => Ok(PublicKeyMaterial::P256(point(published, 32)?)),
        (Some("EC"), Some("P-384")) => Ok(PublicKeyMaterial::P384(point(published, 48)?)),
        (Some("OKP"), Some("Ed25519")) => Ok(PublicKeyMaterial::Ed25519(coordinate(
            published,
            ("x", 32),
        )?)),
        _ => Err(JwkError("unknown key type")),
    }
}

fn text<'m>(published: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, JwkError> {
    let value = published
        .get(name)
        .map(|value| value.as_str().ok_or(JwkError("a member is not a string")));
    value.transpose()
}

fn bytes(published: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JwkError> {
    let encoded = text(published, name)?.ok_or(JwkError("a member is missing"))?;
    BASE64URL
        .decode(encoded)
        .map_err(|_| JwkError("a member is not base64url"))
}

/// Strips leading zeros. RFC 7518 §6.3.1.1 forbids them, but some providers send them, and they
/// change no value.
fn number(published: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JwkError> {
    let bytes = bytes(published, name)?;
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// Coordinates have full length (RFC 7518 §6.2.1.2). Otherwise two of different lengths could form
/// another point.
fn coordinate(
    published: &Map<String, Value>,
    (name, length): (&str, usize),
) -> Result<Vec<u8>, JwkError> {
    let bytes = bytes(published, name)?;
    if bytes.len() == length {
        Ok(bytes)
    } else {
        Err(JwkError("a coordinate has the wrong length"))
    }
}

fn point(published: &Map<String, Value>, length: usize) -> Result<Vec<u8>, JwkError> {
    let (x, y) = (
        coordinate(published, ("x", length))?,
        coordinate(published, ("y", length))?,
    );
    Ok([&[4][..], &x, &y].concat())
}

fn reject_weak(n: &[u8], e: &[u8]) -> Result<(), JwkError> {
    let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if !RSA_BITS.contains(&bits) {
        return Err(JwkError("the RSA key is too small or too large"));
    }
    // FIPS 186-5 §A.1.1: odd, and over 2^16. Exponents over 32 bits are not in use.
    let exponent = e
        .iter()
        .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    if e.len() > 4 || exponent < 65_537 || exponent.is_multiple_of(2) {
        return Err(JwkError("the RSA exponent is weak"));
    }
    if is_roca(n) {
        Err(JwkError("the RSA key is factorable (ROCA)"))
    } else {
        Ok(())
    }
}

/// Detects keys of defective chips (ROCA, CVE-2017-15361), which are powers of 65537 modulo small
/// primes. False-positive rate: 1 in 2^27 (Nemec et al., "The Return of Coppersmith's Attack", §3).
fn is_roca(n: &[u8]) -> bool {
    const PRIMES: [u32; 17] = [
        11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
    ];
    PRIMES.iter().all(|prime| {
        let rest = n
            .iter()
            .fold(0, |rest, byte| (rest << 8 | u32::from(*byte)) % prime);
        let powers = std::iter::successors(Some(1), |power| Some(power * 65_537 % prime));
        powers.take(*prime as usize).any(|power| power == rest)
    })
}

impl PublicKeyMaterial {
    fn supports(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa { .. } => algorithm.rsa().is_some(),
            Self::P256(_) => algorithm == Algorithm::Es256,
            Self::P384(_) => algorithm == Algorithm::Es384,
            Self::Ed25519(_) => algorithm == Algorithm::EdDsa,
        }
    }

    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verifies = |kind: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(kind, key)
                .verify(message, signature)
                .is_ok()
        };
        self.supports(algorithm)
            && match self {
                Self::Rsa { n, e } => algorithm.rsa().is_some_and(|kind| {
                    RsaPublicKeyComponents { n, e }
                        .verify(kind, message, signature)
                        .is_ok()
                }),
                Self::P256(point) => verifies(&ECDSA_P256_SHA256_FIXED, point),
                Self::P384(point) => verifies(&ECDSA_P384_SHA384_FIXED, point),
                Self::Ed25519(x) => verifies(&ED25519, x),
            }
    }
}

impl ProviderKey {
    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether the key may have signed with `algorithm`.
    pub(super) fn supports(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && self.public.supports(algorithm)
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.supports(algorithm) && self.public.verify(algorithm, message, signature)
    }
}
