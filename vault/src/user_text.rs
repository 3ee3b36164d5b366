//! User text: comments, notes, reasons, descriptions.

use std::fmt;

/// Stored exactly as written: any script, line breaks and tabs; no other control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserText(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    #[error("The text can have at most {most} characters.")]
    TooLong { most: usize },
    #[error("The text contains an invisible control character.")]
    Control,
}

impl UserText {
    /// # Errors
    /// More than `max_chars` characters, or a control character other than line break and tab.
    pub fn parse(raw: &str, max_chars: usize) -> Result<Self, InvalidText> {
        if raw.chars().count() > max_chars {
            return Err(InvalidText::TooLong { most: max_chars });
        }
        if raw.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(InvalidText::Control);
        }
        Ok(Self(raw.to_owned()))
    }

    /// Converts stored text.
    #[must_use]
    pub fn from_stored(raw: String) -> Self {
        Self(raw)
    }

    #[must_use]
    pub fn empty() -> Self {
        Self(String::new())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
