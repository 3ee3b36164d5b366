//! Recovery codes, for paper: ten per account, each for one sign-in.
//!
//! Each has 120 random bits, so a fast hash suffices (ASVS 5.0, 6.5.2 requires a password hash
//! below 112 bits).

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{SecureRandom, TokenHash, Username, model::typed_code};

/// Codes per set.
pub(crate) const CODE_COUNT: usize = 10;
/// Crockford's base 32, without letters that resemble digits.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_LENGTH: usize = 24;

/// Has no `Debug` that shows the code.
pub struct RecoveryCode(SecretString);

impl RecoveryCode {
    pub(crate) fn random(rng: &SecureRandom) -> Self {
        let bits = rng.bytes::<15>();
        let number = bits
            .iter()
            .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let symbol = |n: usize| {
            char::from(ALPHABET[usize::try_from(number >> (5 * n) & 31).unwrap_or_default()])
        };
        Self((0..CODE_LENGTH).map(symbol).collect::<String>().into())
    }

    /// Parses user input: any case and width, optional dashes and spaces, `o` for `0` and `l` for `1`.
    pub(crate) fn parse(raw: &str) -> Option<Self> {
        let plain = |c: char| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let code: String = typed_code::fold(raw).chars().map(plain).collect();
        let is_valid =
            code.len() == CODE_LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
        is_valid.then(|| Self(code.into()))
    }

    /// The stored form. The username is part of the hash, so that equal codes of two accounts
    /// differ.
    pub(crate) fn hash(&self, of: &Username) -> TokenHash {
        let text = format!("recovery code of {of}: {}", self.0.expose_secret());
        TokenHash::new(&hex::encode(digest(&SHA256, text.as_bytes())))
    }

    /// The code for its owner: `0123-4567-89AB-CDEF-GHJK-MNPQ`.
    #[must_use]
    pub fn expose(&self) -> String {
        let symbols: Vec<char> = self.0.expose_secret().chars().collect();
        symbols
            .chunks(4)
            .map(|four| four.iter().collect::<String>())
            .collect::<Vec<_>>()
            .join("-")
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_code_parses_any_case_separator_and_lookalike() {
        let ada = Username::parse("ada").unwrap();
        let code = RecoveryCode::random(&SecureRandom::system());
        let text = code.expose();
        let misread = text
            .to_lowercase()
            .replace('-', " ")
            .replace('0', "o")
            .replace('1', "l");
        for input in [text.clone(), misread, text.replace('-', "")] {
            assert_eq!(
                RecoveryCode::parse(&input).unwrap().hash(&ada),
                code.hash(&ada),
                "{input}"
            );
        }
        assert_ne!(code.hash(&ada), code.hash(&Username::parse("eve").unwrap()));
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
    }

    #[test]
    fn recovery_code_has_24_random_characters() {
        let codes: std::collections::HashSet<_> = (0..500)
            .map(|_| RecoveryCode::random(&SecureRandom::system()).expose())
            .collect();
        assert_eq!(codes.len(), 500);
        for place in (0..29).filter(|place| place % 5 != 4) {
            let letters: std::collections::HashSet<_> =
                codes.iter().map(|code| code.as_bytes()[place]).collect();
            assert!(
                letters.len() > 24,
                "place {place} has {} letters only",
                letters.len()
            );
        }
        for broken in [
            "",
            "0123",
            "0123-4567-89AB-CDEF-GHJK-MNPU",
            "0123-4567-89AB-CDEF-GHJK-MNPQ-X",
            "é",
        ] {
            assert!(RecoveryCode::parse(broken).is_none(), "{broken}");
        }
    }
}
