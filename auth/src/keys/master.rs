//! The master key: random, created at first start in a file of mode 0600, or given as `SECRET_KEY`.
//! HKDF-SHA-256 (RFC 5869) derives one key per purpose, so that one derived key reveals nothing
//! about another.

use std::{fmt, io};

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use secrecy::{ExposeSecret, SecretSlice};

use crate::AuthError;
pub use crate::keys::file::KeyFile;

/// A master key of at least 32 bytes. Cannot print.
pub struct MasterKey(SecretSlice<u8>);

#[derive(Debug, thiserror::Error)]
pub enum BadKey {
    #[error(
        "The secret key is shorter than 32 bytes. Generate one with `openssl rand -base64 48`, or remove the \
         setting to have one generated."
    )]
    TooShort,
    #[error(
        "The secret key is well known or easily guessed. Generate one with `openssl rand -base64 48`, or remove \
         the setting to have one generated."
    )]
    WellKnown,
    #[error("The key file {path}: {source}")]
    File { path: String, source: io::Error },
}

/// The purpose of a derived key: the `info` input of HKDF. A label never changes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Signs access tokens.
    AccessToken,
    /// The id of the signing key (`kid`); public.
    AccessTokenKeyId,
    /// Encrypts the key ring.
    KeyRing,
    /// Encrypts the secrets of second factors.
    Factors,
    /// Encrypts the state of sign-ins at upstream providers.
    Upstream,
    /// The pepper.
    Pepper,
    /// The id of the pepper; stored in every hash.
    PepperId,
    /// Encrypts peppers of earlier master keys.
    RetiredPeppers,
    /// The id of the master key; stored before every sealed value.
    MasterKeyId,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::AccessToken => b"strongroom/access-token/hs256/v1",
            Self::AccessTokenKeyId => b"strongroom/access-token/kid/v1",
            Self::KeyRing => b"strongroom/key-ring/aes-256-gcm/v1",
            Self::Factors => b"strongroom/factors/aes-256-gcm/v1",
            Self::Upstream => b"strongroom/upstream/aes-256-gcm/v1",
            Self::Pepper => b"strongroom/pepper/hmac-sha256/v1",
            Self::PepperId => b"strongroom/pepper/id/v1",
            Self::RetiredPeppers => b"strongroom/retired-peppers/aes-256-gcm/v1",
            Self::MasterKeyId => b"strongroom/master/name/v1",
        }
    }
}

/// The output length of HKDF: 256 bits.
struct OkmLen;

impl KeyType for OkmLen {
    fn len(&self) -> usize {
        32
    }
}

impl MasterKey {
    /// Parses a configured key; surrounding white space is ignored.
    ///
    /// # Errors
    /// [`BadKey::TooShort`] and [`BadKey::WellKnown`], with instructions.
    pub fn parse(raw: &str) -> Result<Self, BadKey> {
        let raw = raw.trim();
        // Before the length check, so that a short well-known key gets the more useful error.
        if is_well_known(raw) {
            return Err(BadKey::WellKnown);
        }
        if raw.len() < 32 {
            return Err(BadKey::TooShort);
        }
        Ok(Self(raw.as_bytes().to_vec().into()))
    }

    /// The id of the key, stored before every value sealed under it; public.
    ///
    /// # Errors
    /// [`AuthError::Internal`].
    pub fn id(&self) -> Result<String, AuthError> {
        Ok(hex::encode(&self.derive_key(Purpose::MasterKeyId)?[..8]))
    }

    pub(crate) fn derive_key(&self, purpose: Purpose) -> Result<[u8; 32], AuthError> {
        let mut out = [0; 32];
        Salt::new(HKDF_SHA256, b"strongroom")
            .extract(self.0.expose_secret())
            .expand(&[purpose.label()], OkmLen)
            .and_then(|okm| okm.fill(&mut out))
            .map_err(|_| AuthError::Internal("HKDF key derivation failed"))?;
        Ok(out)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Keys from tutorials and templates, in lower case, longer ones before their substrings.
const WELL_KNOWN: [&str; 22] = [
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "a_super_secret_dev_key",
    "super_secret",
    "supersecret",
    "super-secret",
    "secret_key",
    "secret-key",
    "secretkey",
    "change_me",
    "change-me",
    "changeme",
    "changeit",
    "change this",
    "password",
    "strongroom",
    "insecure",
    "default",
    "example",
    "django",
    "your",
    "secret",
    "dev_key",
];

/// Whether the key is guessable: a well-known word with padding, or hardly any variety.
fn is_well_known(raw: &str) -> bool {
    let mut rest = raw.to_ascii_lowercase();
    for word in WELL_KNOWN {
        rest = rest.replace(word, "");
    }
    let padded_word = rest.len() < raw.len() && (rest.len() < 32 || is_monotonous(&rest));
    padded_word || (raw.len() >= 8 && is_monotonous(raw))
}

/// Few distinct characters, a repeated pattern, or mostly equal or adjacent characters
/// (`abcdefgh…`, `1111…`). Random text of at least 32 characters is none of these.
fn is_monotonous(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let different = bytes.iter().collect::<std::collections::HashSet<_>>().len();
    let repeats =
        (1..=bytes.len() / 2).any(|period| bytes.iter().zip(&bytes[period..]).all(|(a, b)| a == b));
    let steps = bytes
        .windows(2)
        .filter(|pair| pair[0].abs_diff(pair[1]) <= 1)
        .count();
    (raw.len() >= 32 && different < 8) || repeats || steps * 2 > bytes.len()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};

    use super::*;
    use crate::SecureRandom;

    #[test]
    fn well_known_master_keys_are_rejected() {
        let known = [
            "a_super_secret_dev_key",
            "A_SUPER_SECRET_DEV_KEY",
            "a_super_secret_dev_key_a_super_secret_dev_key",
            "a_super_secret_dev_key0000000000000000000000000000000000",
            "secret",
            "changeme",
            "changemechangemechangemechangemechangeme",
            "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
            "your-secret-key-your-secret-key-your-secret-key",
            "0000000000000000000000000000000000000000",
            "abcabcabcabcabcabcabcabcabcabcabcabcabc",
            "0123456789012345678901234567890123456789",
            "abcdefghijklmnopqrstuvwxyz0123456789",
        ];
        for raw in known {
            assert!(
                matches!(MasterKey::parse(raw), Err(BadKey::WellKnown)),
                "{raw}"
            );
        }
    }

    #[test]
    fn short_master_key_is_rejected_with_instructions() {
        let error = MasterKey::parse("q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0P").unwrap_err();
        assert!(matches!(error, BadKey::TooShort));
        assert!(error.to_string().contains("openssl rand -base64 48"));
    }

    #[test]
    fn random_master_keys_in_base64_and_hex_parse() {
        let rng = SecureRandom::system();
        for _ in 0..500 {
            MasterKey::parse(&BASE64URL.encode(rng.bytes::<32>())).unwrap();
            MasterKey::parse(&hex::encode(rng.bytes::<32>())).unwrap();
            MasterKey::parse(&hex::encode(rng.bytes::<16>())).unwrap();
        }
    }

    #[test]
    fn derived_keys_are_stable_and_differ_by_purpose() {
        let key = MasterKey::parse("q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa").unwrap();
        let again = MasterKey::parse(" q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa\n").unwrap();
        let derive = |key: &MasterKey, purpose| key.derive_key(purpose).unwrap();
        assert_eq!(
            derive(&key, Purpose::AccessToken),
            derive(&again, Purpose::AccessToken)
        );
        assert_ne!(
            derive(&key, Purpose::AccessToken),
            derive(&key, Purpose::AccessTokenKeyId)
        );
        assert_eq!(format!("{key:?}"), "MasterKey(…)");
    }
}
