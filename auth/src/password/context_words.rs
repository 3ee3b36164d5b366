//! Context-specific words (ASVS 5.0 §6.1.2) that attackers try first, set by the operator: names of
//! the company, site, machines and projects.

use unicode_normalization::UnicodeNormalization as _;

/// Shorter words occur in too many passwords.
const MIN_CHARS: usize = 3;
const MAX_CHARS: usize = 64;

/// A context word, NFKC-normalized and in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextWord(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a word must have 3 to 64 characters, including a letter or digit")]
pub struct InvalidContextWord;

impl ContextWord {
    /// # Errors
    /// [`InvalidContextWord`]
    pub fn parse(raw: &str) -> Result<Self, InvalidContextWord> {
        let word = raw.trim().nfkc().collect::<String>().to_lowercase();
        let is_valid = (MIN_CHARS..=MAX_CHARS).contains(&word.chars().count())
            && word.chars().any(char::is_alphanumeric)
            && !word.chars().any(char::is_control);
        is_valid.then_some(Self(word)).ok_or(InvalidContextWord)
    }

    /// The word as written, and without separators (`haas vf-2`, `haasvf2`).
    pub(crate) fn variants(&self) -> [String; 2] {
        [
            self.0.clone(),
            self.0.chars().filter(|c| c.is_alphanumeric()).collect(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_context_words_are_rejected() {
        for (raw, word) in [
            ("Acme", "acme"),
            (" Haas VF-2 ", "haas vf-2"),
            ("株式会社", "株式会社"),
            ("ﬁxture", "fixture"),
        ] {
            assert_eq!(
                ContextWord::parse(raw),
                Ok(ContextWord(word.to_owned())),
                "{raw}"
            );
        }
        for raw in ["", "  ", "ab", "---", "ac\tme", &"a".repeat(65)] {
            assert_eq!(ContextWord::parse(raw), Err(InvalidContextWord), "{raw:?}");
        }
    }
}
