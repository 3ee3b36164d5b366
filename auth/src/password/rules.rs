//! What a new password must be (NIST SP 800-63B-4 §3.1.1, ASVS 5.0 §6.2): long enough, and nothing that somebody tries
//! first. No rules of composition. The one way to look at it, whoever sets it and however, and the meter on the page
//! reads the same figures.

use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::{Score, zxcvbn};

use super::{ContextWord, Password, common::is_common};
use crate::{
    Account, Auth, AuthError, AuthStore, DisplayName, EmailAddress, StoreUnavailable, Username,
    factor::FactorRequirement, password::breach::BreachFilter,
};

/// More than anybody types, and little enough to hash.
const MAX_BYTES: usize = 1_024;
/// Of so many characters at most is it asked how they would be guessed: the rest makes a password no worse, and looking at
/// it takes time with the square of it (of odd signs in 72 characters, longer than four hashes).
const STRENGTH_CHARS: usize = 40;

/// What the host decides of passwords.
#[derive(Clone, Debug, Default)]
pub struct PasswordRules {
    /// Passwords that were stolen elsewhere.
    pub breaches: Option<Arc<BreachFilter>>,
    /// Words that no password is made of, beside who somebody is and what the product is called.
    pub context_words: Arc<[ContextWord]>,
    /// Keys for the pepper in place of the master key: the first one is used, the others still verify.
    pub peppers: Arc<[crate::keys::master::MasterKey]>,
}

/// Whether a password is all that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorContext {
    PasswordOnly,
    /// A second factor is asked for every time, because the installation says so.
    WithSecondFactor,
}

impl FactorContext {
    /// Characters at least.
    #[must_use]
    pub fn min_length(self) -> usize {
        match self {
            Self::PasswordOnly => 15,
            Self::WithSecondFactor => 8,
        }
    }

    /// What it takes to guess it: 10^8 tries, or 10^6 beside a factor that is tried a few times and no more. Every
    /// common password is guessed sooner.
    fn min_strength(self) -> Score {
        match self {
            Self::PasswordOnly => Score::Three,
            Self::WithSecondFactor => Score::Two,
        }
    }
}

/// Whose password it is to be: none is made of these.
#[derive(Clone, Debug, Default)]
pub struct UserInputs {
    pub username: Option<Username>,
    pub display_name: Option<DisplayName>,
    pub email: Option<EmailAddress>,
}

impl UserInputs {
    #[must_use]
    pub fn from_account(account: &Account) -> Self {
        Self {
            username: Some(account.username.clone()),
            display_name: account.display_name.clone(),
            email: account.email.clone(),
        }
    }

    /// In small letters, longest first, so that none is left over from another one.
    fn terms(&self, known: &[ContextWord]) -> Vec<String> {
        let mut words = vec!["strongroom".to_owned()];
        words.extend(known.iter().flat_map(ContextWord::variants));
        words.extend(
            self.username
                .as_ref()
                .map(|name| name.as_str().to_lowercase()),
        );
        let email = self
            .email
            .as_ref()
            .map(|email| email.as_str().to_lowercase());
        if let Some((local, host)) = email.as_deref().and_then(|email| email.split_once('@')) {
            words.extend(
                [local, host, host.split('.').next().unwrap_or_default()].map(str::to_owned),
            );
            words.extend(email.clone());
        }
        if let Some(name) = &self.display_name {
            let name = name.as_str().to_lowercase();
            words.extend(name.split_whitespace().map(str::to_owned));
            words.push(name);
        }
        words.retain(|word| !word.is_empty());
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        words
    }
}

/// Why a new password was not taken: the sentence says what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRejected {
    #[error(
        "A password must have at least {min_length} characters. A few unrelated words are strong."
    )]
    TooShort { min_length: usize },
    #[error("A password can have at most 1,024 bytes.")]
    TooLong,
    #[error(
        "A password must not consist of your username, name or e-mail address, the word \
         Strongroom, or names known to all users."
    )]
    Contextual,
    #[error("This password is too common. Use a few unrelated words.")]
    Common,
    #[error("This password is easy to guess. Use a few unrelated words.")]
    Guessable,
    #[error("This password appears in a list of stolen passwords. Choose another one.")]
    Breached,
}

/// How good a password would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordStrength {
    pub characters: usize,
    pub min_length: usize,
    /// 0, guessed at once, to 4.
    pub strength: u8,
    pub rejection: Option<PasswordRejected>,
}

/// As typed and in NFKC, whichever is fewer: neither writing an accent apart nor a ligature makes a password longer.
fn characters(raw: &str) -> usize {
    if raw.is_ascii() {
        raw.len()
    } else {
        raw.chars().count().min(raw.nfkc().count())
    }
}

/// Everything but the lists of what was stolen.
pub(crate) fn evaluate(
    password: &Password,
    inputs: &UserInputs,
    context: FactorContext,
    known: &[ContextWord],
) -> PasswordStrength {
    let raw = password.expose();
    let (characters, min_length, words) =
        (characters(raw), context.min_length(), inputs.terms(known));
    if raw.len() > MAX_BYTES {
        return PasswordStrength {
            characters,
            min_length: min_length,
            strength: 0,
            rejection: Some(PasswordRejected::TooLong),
        };
    }
    let prefix: String = raw.chars().take(STRENGTH_CHARS).collect();
    let score = zxcvbn(
        &prefix,
        &words.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .score();
    let rejection = if characters < min_length {
        Some(PasswordRejected::TooShort { min_length })
    } else if is_made_of(raw, &words) {
        Some(PasswordRejected::Contextual)
    } else if is_common(raw) {
        Some(PasswordRejected::Common)
    } else {
        (score < context.min_strength()).then_some(PasswordRejected::Guessable)
    };
    let strength = if rejection == Some(PasswordRejected::Common) {
        0
    } else {
        score.into()
    };
    PasswordStrength {
        characters,
        min_length: min_length,
        strength,
        rejection,
    }
}

/// Whether little is left of `raw` without those words: what an attacker tries first. A word of one or two letters
/// stands in everything, so it has to be all there is.
fn is_made_of(raw: &str, words: &[String]) -> bool {
    let lower = raw.nfkc().collect::<String>().to_lowercase();
    words
        .iter()
        .any(|word| lower.replace(word, "").trim().is_empty())
        || {
            let long = words.iter().filter(|word| word.len() > 2);
            let rest = long.fold(lower.clone(), |rest, word| rest.replace(word.as_str(), ""));
            rest.len() < lower.len() && rest.chars().filter(|c| c.is_alphanumeric()).count() < 8
        }
}

impl<S: AuthStore> Auth<S> {
    /// What a password of this account has beside it; of one that is about to be made, for `None`.
    pub(crate) fn factor_context(&self, account: Option<&Account>) -> FactorContext {
        let enforced = match account {
            Some(account) => self.enforces_second_factor(account),
            None => self.0.settings.factors.required == FactorRequirement::All,
        };
        if enforced {
            FactorContext::WithSecondFactor
        } else {
            FactorContext::PasswordOnly
        }
    }

    /// Characters at least of this account's password; of one that is about to be made, for `None`.
    #[must_use]
    pub fn min_password_length(&self, account: Option<&Account>) -> usize {
        self.factor_context(account).min_length()
    }

    /// How good `password` would be for somebody new. Nothing is kept of it.
    ///
    /// # Errors
    /// As for setting it: [`AuthError::Store`] where the list of stolen passwords cannot be read, [`AuthError::Busy`].
    pub async fn evaluate_new(
        &self,
        password: Password,
        inputs: UserInputs,
    ) -> Result<PasswordStrength, AuthError> {
        self.evaluate_password(Arc::new(password), inputs, self.factor_context(None))
            .await
    }

    /// How good `password` would be for this account.
    ///
    /// # Errors
    /// As [`weigh_new`](Self::weigh_new).
    pub async fn evaluate_for(
        &self,
        account: &Account,
        password: Password,
    ) -> Result<PasswordStrength, AuthError> {
        let context = self.factor_context(Some(account));
        self.evaluate_password(
            Arc::new(password),
            UserInputs::from_account(account),
            context,
        )
        .await
    }

    async fn evaluate_password(
        &self,
        password: Arc<Password>,
        inputs: UserInputs,
        context: FactorContext,
    ) -> Result<PasswordStrength, AuthError> {
        let PasswordRules {
            breaches,
            context_words: words,
            ..
        } = self.0.settings.passwords.clone();
        // As hashing: bounded, and behind everything else.
        let evaluated = self.0.hasher.run_on_pool(move || {
            let mut strength = evaluate(&password, &inputs, context, &words);
            if let (None, Some(breaches)) = (strength.rejection, breaches) {
                let stolen = breaches.contains(password.expose())?;
                strength.rejection = stolen.then_some(PasswordRejected::Breached);
            }
            Ok(strength)
        });
        let failed = |error: std::io::Error| AuthError::Store(StoreUnavailable::from_source(error));
        evaluated.await?.map_err(failed)
    }

    /// Whether it may become the password of this account.
    pub(crate) async fn check_new_password(
        &self,
        password: &Arc<Password>,
        inputs: UserInputs,
        context: FactorContext,
    ) -> Result<(), AuthError> {
        let strength = self
            .evaluate_password(Arc::clone(password), inputs, context)
            .await?;
        strength
            .rejection
            .map_or(Ok(()), |rejection| Err(rejection.into()))
    }
}

#[cfg(test)]
mod tests;
