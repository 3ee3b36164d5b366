//! Passwords in the clear, their hashes, and the bounded pool that turns one into the other.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// As it was typed, every character counts. Cannot print.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hash that Strongroom can verify: Argon2id or bcrypt with sensible parameters")]
pub struct UnknownHash;

impl PasswordHash {
    /// Takes a hash back from where Strongroom kept it.
    #[must_use]
    pub fn stored(raw: &str) -> Self {
        Self(raw.to_owned())
    }

    /// For the store only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Why a new password was not taken: the sentence says what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("A password has at least 15 characters. A few unrelated words make a good one.")]
    TooShort,
    #[error("A password has at most 1,024 bytes.")]
    TooLong,
    #[error("A password is not made of the username or of the word Strongroom.")]
    Expected,
}
