//! Usernames. A username is permanent: it is the `sub` of tokens and never reused.

use std::{borrow::Cow, fmt, sync::Arc};

/// 1 to 64 of `a-z 0-9 . _ - + @`, beginning with a letter or digit. Upper case is folded, so `Ada`
/// and `ada` are one account. Other scripts are rejected, so that no two names look alike. A
/// [display name](crate::DisplayName) allows any script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUsername {
    #[error("A username must have 1 to 64 characters.")]
    Length,
    #[error("A username must begin with a letter or a digit.")]
    FirstCharacter,
    #[error("A username can contain only the letters a to z, digits, and . _ - + @.")]
    Character,
}

impl Username {
    /// White space around the name is removed: keyboards of phones add it.
    ///
    /// # Errors
    /// [`BadUsername`] names the rule that `raw` breaks.
    pub fn parse(raw: &str) -> Result<Self, BadUsername> {
        let raw = raw.trim();
        if raw.is_empty() || raw.chars().count() > 64 {
            return Err(BadUsername::Length);
        }
        let folded = folded(raw);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !folded.chars().all(|c| plain(c) || "._-+@".contains(c)) {
            return Err(BadUsername::Character);
        }
        if !folded.starts_with(plain) {
            return Err(BadUsername::FirstCharacter);
        }
        Ok(Self(folded.into()))
    }

    /// The reserved name of the operator's command line.
    pub(crate) fn console() -> Self {
        Self("console".into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Folds upper case; borrows if there is none, as in nearly all calls.
fn folded(raw: &str) -> Cow<'_, str> {
    if raw.contains(|c: char| c.is_ascii_uppercase()) {
        raw.to_ascii_lowercase().into()
    } else {
        raw.into()
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn username_ignores_case_and_outer_white_space() {
        for raw in ["Ada", "ada ", " ada", "\tada\r\n", "ada\u{a0}"] {
            assert_eq!(Username::parse(raw).unwrap().as_str(), "ada", "{raw:?}");
        }
    }

    #[test]
    fn username_with_lookalikes_or_markup_is_rejected() {
        for raw in [
            "аda",
            "ada\u{200b}",
            "ａda",
            "a b",
            "<b>",
            "a\0",
            "a/b",
            "a\nb",
        ] {
            assert_eq!(Username::parse(raw), Err(BadUsername::Character), "{raw:?}");
        }
        assert_eq!(Username::parse(""), Err(BadUsername::Length));
        assert_eq!(Username::parse("  "), Err(BadUsername::Length));
        assert_eq!(Username::parse(&"a".repeat(65)), Err(BadUsername::Length));
        assert_eq!(Username::parse("-rf"), Err(BadUsername::FirstCharacter));
    }
}
