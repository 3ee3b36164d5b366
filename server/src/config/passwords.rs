//! `[passwords]`: what new passwords are looked up in, and what all of them are keyed with.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use auth::{
    keys::master::MasterKey,
    password::{ContextWord, PasswordRules, breach::BreachFilter},
};
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordSection {
    /// A list of stolen passwords, made by `strongroom breach build`.
    pub breach_file: Option<PathBuf>,
    /// Keys for the pepper in place of the master key, one a line: the first is used, and the others (and the master
    /// key) still verify what was made with them.
    pub pepper_file: Option<PathBuf>,
    /// Names that everybody here knows, of the company, the site, machines and projects: no password is made of them.
    pub context_words: Option<Vec<String>>,
}

impl PasswordSection {
    /// What `self` says, and where it says nothing, what `next` does.
    pub(super) fn or(self, next: Self) -> Self {
        Self {
            breach_file: self.breach_file.or(next.breach_file),
            pepper_file: self.pepper_file.or(next.pepper_file),
            context_words: self.context_words.or(next.context_words),
        }
    }

    /// # Errors
    /// A sentence for the operator, where a file is not what it should be.
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
        anyhow::ensure!(!keys.is_empty(), "{} holds no key", path.display());
        Ok(keys)
    }
}
