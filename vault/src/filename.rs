//! Names of files: the one type for every file name.
//!
//! The module `rules` holds all rules for names, and no other code checks names.

mod joiner;
mod rules;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use unicode_normalization::UnicodeNormalization;

pub use rules::{BadFilename, is_invisible};

/// A path inside a vault, `/` between segments, as the user spelled it (NFC).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filename(Arc<str>);

/// [`Filename`] case-folded and NFC: two names with one key are one name. Orders lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKey(String);

impl Filename {
    /// # Errors
    /// [`BadFilename`] is one sentence that says what to change.
    pub fn parse(raw: &str) -> Result<Self, BadFilename> {
        rules::check(raw)?;
        Ok(Self(raw.into()))
    }

    /// Converts a stored name, unchecked.
    #[must_use]
    pub fn from_stored(raw: &str) -> Self {
        Self(raw.into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn key(&self) -> NameKey {
        NameKey::fold(&self.0)
    }

    /// Its folder; `None` at the top.
    #[must_use]
    pub fn folder(&self) -> Option<Self> {
        self.0
            .rsplit_once('/')
            .map(|(folder, _)| Self(folder.into()))
    }

    /// Every folder above it, outermost first: `a`, `a/b` of `a/b/c`.
    pub fn folders(&self) -> impl Iterator<Item = Self> + '_ {
        self.0
            .match_indices('/')
            .map(|(at, _)| Self(self.0[..at].into()))
    }

    /// The last segment.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(_, leaf)| leaf)
    }
}

impl fmt::Display for Filename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl NameKey {
    /// Folds any text like a name: for prefixes, searches and paging.
    ///
    /// Canonical caseless matching (Unicode 16 §3.13.5, D145), then composed, so that keys stay
    /// short. Joiners (U+200C, U+200D) are left out. Folding is idempotent.
    #[must_use]
    pub fn fold(raw: &str) -> Self {
        if raw.is_ascii() {
            return Self(raw.to_ascii_lowercase());
        }
        let decomposed: String = raw.nfd().filter(|c| !joiner::is_joiner(*c)).collect();
        Self(caseless::default_case_fold_str(&decomposed).nfc().collect())
    }

    /// Converts a stored key, unfolded.
    #[must_use]
    pub fn from_stored(raw: &str) -> Self {
        Self(raw.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
