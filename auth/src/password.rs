//! Passwords in the clear, their hashes, and what a new one must be. What turns one into the other is in `hashing`.

use std::fmt;

use argon2::{ARGON2ID_IDENT, Params, password_hash::phc};
use secrecy::{ExposeSecret, SecretString};

use crate::Username;

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

    /// Whether it may become somebody's password (NIST SP 800-63B-4 §3.1.1: length, no composition rules). Passwords
    /// that were imported as hashes never come here.
    ///
    /// # Errors
    /// [`Refused`] says what to change.
    pub fn check_new(&self, username: &Username) -> Result<(), Refused> {
        let raw = self.expose();
        if raw.len() > 1_024 {
            return Err(Refused::TooLong);
        }
        if raw.chars().count() < 15 {
            return Err(Refused::TooShort);
        }
        if is_made_of(raw, &[username.as_str(), "strongroom"]) { Err(Refused::Expected) } else { Ok(()) }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Whether little is left of `raw` without those words: what an attacker tries first. A word of one or two letters
/// stands in everything, so it has to be all there is.
fn is_made_of(raw: &str, words: &[&str]) -> bool {
    let lower = raw.to_lowercase();
    words.iter().any(|word| lower.replace(word, "").trim().is_empty()) || {
        let rest = words.iter().filter(|word| word.len() > 2).fold(lower.clone(), |rest, word| rest.replace(word, ""));
        rest.len() < lower.len() && rest.chars().filter(|c| c.is_alphanumeric()).count() < 8
    }
}

/// An Argon2id PHC string, or passlib's bcrypt (`$2a$`, `$2b$`, `$2y$`). Cannot print.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hash that Strongroom can verify: Argon2id or bcrypt with sensible parameters")]
pub struct UnknownHash;

impl PasswordHash {
    /// Takes a hash that another program made: an Argon2id PHC string or bcrypt, with costs that one sign-in can bear.
    ///
    /// # Errors
    /// [`UnknownHash`] for everything else: `$2x$` (a known bug), Argon2i and Argon2d, costs out of bounds.
    pub fn import(raw: &str) -> Result<Self, UnknownHash> {
        let known = if raw.starts_with("$2") { is_sane_bcrypt(raw) } else { is_sane_argon2id(raw) };
        known.then(|| Self(raw.to_owned())).ok_or(UnknownHash)
    }

    pub(crate) fn is_bcrypt(&self) -> bool {
        self.0.starts_with("$2")
    }
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

fn is_sane_bcrypt(raw: &str) -> bool {
    let version = raw.get(..4).is_some_and(|version| ["$2a$", "$2b$", "$2y$"].contains(&version));
    version && raw.parse::<bcrypt::HashParts>().is_ok_and(|parts| (4..=16).contains(&parts.get_cost()))
}

fn is_sane_argon2id(raw: &str) -> bool {
    let Ok(hash) = phc::PasswordHash::new(raw) else { return false };
    let Ok(params) = Params::try_from(&hash) else { return false };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(username: &str, raw: &str) -> Result<(), Refused> {
        Password::new(raw.to_owned()).check_new(&Username::parse(username).unwrap())
    }

    #[test]
    fn fifteen_characters_of_any_script_are_enough_and_fourteen_are_not() {
        assert_eq!(check("ada", &"é".repeat(14)), Err(Refused::TooShort));
        assert_eq!(check("ada", "žluťoučký kůň §"), Ok(()));
        assert_eq!(check("ada", "🦀🐧🦊🐙🦉🐝🦋🐢🦈🐳🐿🦔🐌🦜🐞"), Ok(()));
    }

    #[test]
    fn a_kibibyte_is_the_most() {
        assert_eq!(check("ada", &"x7".repeat(512)), Ok(()));
        assert_eq!(check("ada", &"x7".repeat(513)), Err(Refused::TooLong));
    }

    #[test]
    fn the_username_and_the_product_make_no_password() {
        for raw in
            ["strongroomSTRONGROOM", "strongroom-12345", "lovelace lovelace", "LovelaceStrongroom1", "Lovelace1234567"]
        {
            assert_eq!(check("lovelace", raw), Err(Refused::Expected), "{raw}");
        }
        assert_eq!(check("x", "xxxxxxxxxxxxxxx"), Err(Refused::Expected));
        assert_eq!(check("lovelace", "a strongroom full of gears"), Ok(()));
        assert_eq!(check("a", "correct horse battery"), Ok(()));
    }

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
    fn other_hashes_and_ruinous_costs_are_refused() {
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
            "$argon2i$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b4dWRWJTmaaJObGJTMYZ0sMZVo",
            "$argon2id$v=16$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b4dWRWJTmaaJObGJTMYZ0sMZVo",
            "$argon2id$v=19$m=1048577,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b4dWRWJTmaaJObGJTMYZ0sMZVo",
            "$argon2id$v=19$m=65536,t=11,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b4dWRWJTmaaJObGJTMYZ0sMZVo",
            "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA",
        ] {
            assert_eq!(PasswordHash::import(raw), Err(UnknownHash), "{raw}");
        }
    }
}
