//! A key as it is stored: sealed under the master key.

use jiff::Timestamp;
use secrecy::SecretString;

/// The purpose of a key. Each key has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPurpose {
    /// Signs access tokens.
    AccessTokens,
    /// Peppers of replaced master keys. They verify existing passwords and hash no new ones.
    Peppers,
}

impl KeyPurpose {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessTokens => "access_tokens",
            Self::Peppers => "peppers",
        }
    }

    /// Additional authenticated data (AAD) of a sealed key.
    pub(crate) fn aad(self, kid: &str) -> String {
        format!("{}/{kid}", self.as_str())
    }
}

/// A stored key.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// The public key id (`kid`).
    pub kid: String,
    pub purpose: KeyPurpose,
    /// The registered name (RFC 7518), for display only. The sealed value is authoritative.
    pub algorithm: String,
    pub sealed: SecretString,
    pub created_at: Timestamp,
    /// When the key stopped signing and only verifies; `None` for the signing key.
    pub retired_at: Option<Timestamp>,
}
