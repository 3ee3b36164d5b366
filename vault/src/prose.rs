//! Text that people write: comments, notes, reasons, descriptions.

use std::fmt;

/// Kept exactly as written: any script, line breaks and tabs; no other control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prose(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProse {
    #[error("This text has at most {most} characters.")]
    TooLong { most: usize },
    #[error("This text holds a control character that nobody could see.")]
    Control,
}

impl Prose {
    /// # Errors
    /// More than `most` characters, or a control character that is no line break or tab.
    pub fn parse(raw: &str, most: usize) -> Result<Self, BadProse> {
        if raw.chars().count() > most {
            return Err(BadProse::TooLong { most });
        }
        if raw.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(BadProse::Control);
        }
        Ok(Self(raw.to_owned()))
    }

    /// Takes text back from where it was kept.
    #[must_use]
    pub fn stored(raw: String) -> Self {
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

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
