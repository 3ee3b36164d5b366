//! Passwords and their hashes. `rules` checks new passwords; `hashing` computes and verifies
//! hashes.

pub mod breach;
mod common;
mod context_words;
pub(crate) mod hashing;
pub(crate) mod pepper;
pub mod reset;
pub mod rules;

use std::fmt;

use argon2::{ARGON2ID_IDENT, Params, password_hash::phc};
use secrecy::{ExposeSecret, SecretString};

pub use context_words::{ContextWord, InvalidContextWord};
pub use rules::{FactorContext, PasswordRejected, PasswordStrength, UserInputs};

/// A password as typed; every character counts. Cannot print.
pub struct Password(SecretString);

impl Password {
    #[must_use]
    pub fn new(raw: String) -> Self {
        Self(raw.into())
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// An Argon2id PHC string, or passlib's bcrypt (`$2a$`, `$2b$`, `$2y$`). Cannot print.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Why a hash of another program is not imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsupportedHash {
    #[error("Argon2i hashes are not supported: only Argon2id and bcrypt are")]
    Argon2i,
    #[error("Argon2d hashes are not supported: only Argon2id and bcrypt are")]
    Argon2d,
    #[error("Argon2 version 1.0 (v=16) is not supported: only version 1.3 (v=19) is")]
    Argon2Version,
    #[error("not a hash that Strongroom can verify: Argon2id or bcrypt with sensible parameters")]
    Unknown,
}

impl PasswordHash {
    /// The prefix of hashes under the pepper with this id.
    #[must_use]
    pub fn prefix_for_pepper(pepper: &str) -> String {
        crate::password::pepper::tag_prefix(pepper)
    }

    /// Imports a hash of another program: an Argon2id PHC string or bcrypt, within cost limits.
    ///
    /// bcrypt's last characters of salt and hash have bits that count for nothing. They are cleared, as
    /// passlib does.
    ///
    /// # Errors
    /// [`UnsupportedHash`] for everything else: `$2x$` (a known bug), Argon2i, Argon2d, Argon2 version
    /// 1.0, costs out of bounds.
    pub fn import(raw: &str) -> Result<Self, UnsupportedHash> {
        if raw.starts_with("$2") {
            let hash = without_padding_bits(raw);
            return if is_supported_bcrypt(&hash) {
                Ok(Self(hash))
            } else {
                Err(UnsupportedHash::Unknown)
            };
        }
        if raw.starts_with("$argon2i$") {
            return Err(UnsupportedHash::Argon2i);
        }
        if raw.starts_with("$argon2d$") {
            return Err(UnsupportedHash::Argon2d);
        }
        // Version 1.0 wrote no version at first.
        if raw.starts_with("$argon2id$v=16$") || raw.starts_with("$argon2id$m=") {
            return Err(UnsupportedHash::Argon2Version);
        }
        if is_supported_argon2id(raw) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(UnsupportedHash::Unknown)
        }
    }

    pub(crate) fn is_bcrypt(&self) -> bool {
        self.0.starts_with("$2")
    }
    /// Wraps a stored hash, without validation.
    #[must_use]
    pub fn from_stored(raw: &str) -> Self {
        Self(raw.to_owned())
    }

    /// For the store only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The alphabet of bcrypt's base64.
const BCRYPT_ALPHABET: &[u8; 64] =
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Positions of the last characters of the 128-bit salt and the 184-bit hash, and the number of their
/// low bits that count for nothing.
const BCRYPT_PADDING: [(usize, u32); 2] = [(28, 4), (59, 2)];

fn without_padding_bits(raw: &str) -> String {
    let mut bytes = raw.as_bytes().to_vec();
    for (position, bits) in BCRYPT_PADDING {
        let value = bytes
            .get(position)
            .and_then(|byte| BCRYPT_ALPHABET.iter().position(|symbol| symbol == byte));
        if let Some(value) = value {
            bytes[position] = BCRYPT_ALPHABET[value >> bits << bits];
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| raw.to_owned())
}

fn is_supported_bcrypt(raw: &str) -> bool {
    let version = raw
        .get(..4)
        .is_some_and(|version| ["$2a$", "$2b$", "$2y$"].contains(&version));
    // The parser accepts `+9` as a number; other programs do not.
    let digits = raw
        .get(4..6)
        .is_some_and(|cost| cost.bytes().all(|byte| byte.is_ascii_digit()));
    version
        && digits
        && raw
            .parse::<bcrypt::HashParts>()
            .is_ok_and(|parts| (4..=16).contains(&parts.get_cost()))
}

fn is_supported_argon2id(raw: &str) -> bool {
    let Ok(hash) = phc::PasswordHash::new(raw) else {
        return false;
    };
    let Ok(params) = Params::try_from(&hash) else {
        return false;
    };
    hash.algorithm == ARGON2ID_IDENT
        && hash.version == Some(19)
        && hash.salt.is_some_and(|salt| salt.len() >= 8)
        && hash.hash.is_some_and(|output| output.len() >= 16)
        && params.m_cost() <= 1024 * 1024
        && params.t_cost() <= 10
        && params.p_cost() <= 16
        && params.keyid().is_empty()
        && params.data().is_empty()
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argon2id_and_bcrypt_are_imported() {
        for raw in [
            "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
            "$2a$04$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
            "$2y$16$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
            "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b4dWRWJTmaaJObGJTMYZ0sMZVo",
        ] {
            assert!(PasswordHash::import(raw).is_ok(), "{raw}");
        }
    }

    #[test]
    fn unsupported_or_too_costly_hashes_are_not_importable() {
        for raw in [
            "",
            "hunter2",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "$1$abc$def",
            "$2$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
            "$2x$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
            "$2b$17$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
            "$2b$03$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
            "$2b$+9$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
            "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31",
            "$2b$12$éixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31l",
            "$argon2id$v=19$m=1048577,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b4dWRWJTmaaJObGJTMYZ0sMZVo",
            "$argon2id$v=19$m=65536,t=11,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b4dWRWJTmaaJObGJTMYZ0sMZVo",
            "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA",
        ] {
            assert_eq!(
                PasswordHash::import(raw),
                Err(UnsupportedHash::Unknown),
                "{raw}"
            );
        }
    }

    #[test]
    fn argon2i_argon2d_and_version_16_are_named() {
        let rest =
            "m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b4dWRWJTmaaJObGJTMYZ0sMZVo";
        for (prefix, why, named) in [
            ("$argon2i$v=19$", UnsupportedHash::Argon2i, "Argon2i "),
            ("$argon2i$v=16$", UnsupportedHash::Argon2i, "Argon2i "),
            ("$argon2d$v=19$", UnsupportedHash::Argon2d, "Argon2d "),
            ("$argon2id$v=16$", UnsupportedHash::Argon2Version, "v=16"),
            ("$argon2id$", UnsupportedHash::Argon2Version, "v=16"),
        ] {
            assert_eq!(
                PasswordHash::import(&format!("{prefix}{rest}")),
                Err(why),
                "{prefix}"
            );
            assert!(why.to_string().contains(named), "{why}");
        }
    }

    #[test]
    fn bcrypt_padding_bits_are_cleared() {
        let canonical = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
        let imported = PasswordHash::import(canonical).unwrap();
        assert_eq!(imported.as_str(), canonical);
        // The last character of the salt has two bits, the last of the hash four.
        for padded in [
            "$2b$12$EixZaYVK1fsbw1ZfbX3OXfPaWxn96p36WQoeG6Lruj3vjPGga31lW",
            "$2b$12$EixZaYVK1fsbw1ZfbX3OXtPaWxn96p36WQoeG6Lruj3vjPGga31lW",
            "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lX",
            "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lZ",
        ] {
            let imported = PasswordHash::import(padded).unwrap();
            assert_eq!(imported.as_str(), canonical, "{padded}");
        }
        let other = PasswordHash::import(&canonical.replace("31lW", "31la")).unwrap();
        assert_ne!(other.as_str(), canonical);
    }
}
