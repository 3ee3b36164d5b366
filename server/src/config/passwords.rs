//! `[passwords]`: the breach list, banned context words and pepper keys for passwords.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use auth::{
    keys::master::MasterKey,
    password::{ContextWord, breach::BreachFilter},
    settings::PasswordRules,
};
use serde::Deserialize;

use super::layers::first_of;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordSection {
    /// A filter of breached passwords, built by `strongroom breach build`.
    pub breach_file: Option<PathBuf>,
    /// Pepper keys, one a line, used instead of the master key. The first key makes new hashes. The
    /// other keys and the master key still verify hashes made with them.
    pub pepper_file: Option<PathBuf>,
    /// Well-known names of the company, the site, machines and projects. Passwords must not consist
    /// of them.
    pub context_words: Option<Vec<String>>,
}

impl PasswordSection {
    /// Takes each value from `self`, or else from `next`.
    pub(super) fn or(self, next: Self) -> Self {
        first_of!(self, next: breach_file, pepper_file, context_words)
    }

    /// # Errors
    /// A message for the operator: a file cannot be read or is invalid.
    pub(crate) fn rules(&self) -> anyhow::Result<PasswordRules> {
        let open = |path: &PathBuf| {
            BreachFilter::open(path)
                .map(Arc::new)
                .map_err(anyhow::Error::msg)
        };
        Ok(PasswordRules {
            breaches: self
                .breach_file
                .as_ref()
                .map(open)
                .transpose()
                .context("passwords.breach_file")?,
            context_words: self.words().context("passwords.context_words")?,
            peppers: self.peppers().context("passwords.pepper_file")?,
        })
    }

    fn words(&self) -> anyhow::Result<Arc<[ContextWord]>> {
        let words = self.context_words.iter().flatten();
        words
            .map(|word| ContextWord::parse(word).with_context(|| format!("\"{word}\"")))
            .collect()
    }

    fn peppers(&self) -> anyhow::Result<Arc<[MasterKey]>> {
        let Some(path) = &self.pepper_file else {
            return Ok(Arc::default());
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let keys = lines
            .map(MasterKey::parse)
            .collect::<Result<Arc<[_]>, _>>()?;
        anyhow::ensure!(!keys.is_empty(), "{} contains no key", path.display());
        Ok(keys)
    }
}
