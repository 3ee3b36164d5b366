//! The user code (RFC 8628 §6.1): eight consonants, which form no words and look distinct; 34.5
//! bits.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

use crate::{SecureRandom, TokenHash, model::typed_code};

const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

/// `Debug` hides the code: anyone who has it may approve the device.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    pub(crate) fn random(rng: &SecureRandom) -> Self {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            // 240 is the last multiple of 20 that fits in a byte. Larger bytes would bias the
            // result.
            let [byte] = rng.bytes::<1>();
            if byte < 240 {
                code.push(char::from(ALPHABET[usize::from(byte % 20)]));
            }
        }
        Self(code)
    }

    /// Parses user input: any case and width, with optional spaces, hyphens, underscores and dots.
    pub(crate) fn parse(input: &str) -> Option<Self> {
        let code: String = typed_code::fold(input)
            .to_ascii_uppercase()
            .replace('.', "");
        (code.len() == LENGTH && code.bytes().all(|b| ALPHABET.contains(&b))).then_some(Self(code))
    }

    /// The code with its hyphen, for the response.
    #[must_use]
    pub fn expose(&self) -> String {
        let (left, right) = self.0.split_at(LENGTH / 2);
        format!("{left}-{right}")
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::new(&hex::encode(digest(
            &SHA256,
            format!("user code {}", self.0).as_bytes(),
        )))
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_code_parses_any_case_and_separator() {
        let code = UserCode("WDJBMJHT".to_owned());
        for input in [
            "WDJB-MJHT",
            "wdjbmjht",
            " wdjb mjht ",
            "WDJB–MJHT",
            "W-D-J-B.MJHT",
            "ＷDJB-MJHT",
            "ｗｄｊｂ－ｍｊｈｔ",
        ] {
            assert_eq!(UserCode::parse(input), Some(code.clone()), "{input}");
        }
        for input in [
            "",
            "WDJB-MJH",
            "WDJB-MJHTT",
            "ADJB-MJHT",
            "WDJB-MJH1",
            &"-".repeat(65),
        ] {
            assert_eq!(UserCode::parse(input), None, "{input}");
        }
        assert_eq!(code.expose(), "WDJB-MJHT");
    }

    #[test]
    fn user_code_characters_are_drawn_uniformly() {
        let mut seen = std::collections::HashMap::new();
        for _ in 0..2_500 {
            for letter in UserCode::random(&SecureRandom::system()).0.chars() {
                *seen.entry(letter).or_insert(0_u32) += 1;
            }
        }
        assert_eq!(seen.len(), 20);
        assert!(
            seen.values().all(|count| (800..1_200).contains(count)),
            "{seen:?}"
        );
    }
}
