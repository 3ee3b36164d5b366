//! User text: comments, notes, reasons, descriptions.

use std::fmt;

use auth::model::visible_text::has_hidden_in_lines;

/// Stored exactly as written: any script, line breaks and tabs; no other character that is
/// invisible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserText(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    #[error("The text can have at most {most} characters.")]
    TooLong { most: usize },
    #[error("The text contains an invisible character.")]
    Hidden,
}

impl UserText {
    /// # Errors
    /// More than `max_chars` characters, or one that is invisible, other than line break and tab.
    pub fn parse(raw: &str, max_chars: usize) -> Result<Self, InvalidText> {
        if raw.chars().count() > max_chars {
            return Err(InvalidText::TooLong { most: max_chars });
        }
        if has_hidden_in_lines(raw) {
            return Err(InvalidText::Hidden);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_text_allows_lines_and_refuses_hidden_characters() {
        for text in [
            "",
            "first\r\n\tsecond",
            "done 👩\u{200d}💻",
            "نقشه\u{200c}ها",
        ] {
            assert_eq!(UserText::parse(text, 100).unwrap().as_str(), text);
        }
        for hidden in [
            '\u{202e}', '\u{2060}', '\u{34f}', '\u{ffa0}', '\u{1160}', '\u{7}',
        ] {
            let text = format!("line\nbroken{hidden}part");
            assert_eq!(
                UserText::parse(&text, 100),
                Err(InvalidText::Hidden),
                "{hidden:?}"
            );
        }
    }
}
