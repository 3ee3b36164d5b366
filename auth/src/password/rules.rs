//! Rules for new passwords (NIST SP 800-63B-4 §3.1.1, ASVS 5.0 §6.2): minimum length, and no
//! common, contextual, guessable or breached password. Deliberately absent: composition rules.
//! Every path that sets a password uses these rules, and so does the strength meter on the page.

use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::{Score, zxcvbn};

use super::{ContextWord, Password, common::is_common};
pub use crate::error::PasswordRejected;
use crate::{
    Account, AuthError, AuthStore, DisplayName, EmailAddress, Passwords, StoreUnavailable,
    Username,
    password::hashing::HashPriority,
    settings::{FactorRequirement, PasswordRules},
};

/// Upper bound on the length; longer passwords are rejected to limit the cost of hashing.
const MAX_BYTES: usize = 1_024;
/// zxcvbn evaluates only this prefix: its run time is quadratic. For 72 unusual characters it
/// exceeds four hashes. Further characters do not weaken a password.
const STRENGTH_CHARS: usize = 40;

/// Whether the password is the only factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorContext {
    PasswordOnly,
    /// The installation requires a second factor at every sign-in.
    WithSecondFactor,
}

impl FactorContext {
    /// Minimum length in characters.
    #[must_use]
    pub fn min_length(self) -> usize {
        match self {
            Self::PasswordOnly => 15,
            Self::WithSecondFactor => 8,
        }
    }

    /// Minimum zxcvbn score: 10^8 guesses, or 10^6 beside a rate-limited second factor. Every
    /// common password scores lower.
    fn min_strength(self) -> Score {
        match self {
            Self::PasswordOnly => Score::Three,
            Self::WithSecondFactor => Score::Two,
        }
    }
}

/// Personal data that a password must not consist of (zxcvbn: user inputs).
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

    /// In lower case, longest first, so that removing a term leaves no fragment of a longer one.
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

/// The evaluation of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordStrength {
    pub characters: usize,
    pub min_length: usize,
    /// From 0 (guessed at once) to 4.
    pub strength: u8,
    pub rejection: Option<PasswordRejected>,
}

/// Characters as typed or in NFKC, whichever is fewer. Decomposed accents and ligatures do not add
/// length.
fn characters(raw: &str) -> usize {
    if raw.is_ascii() {
        raw.len()
    } else {
        raw.chars().count().min(raw.nfkc().count())
    }
}

/// Applies all rules except the breach list.
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
            min_length,
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
        min_length,
        strength,
        rejection,
    }
}

/// Whether fewer than 8 alphanumeric characters remain of `raw` without `words`. Words of one or
/// two letters occur by chance, so they count only as the whole password.
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

impl<S: AuthStore> Passwords<'_, S> {
    /// The factors required beside the password of `account`; `None` stands for a new account.
    pub(crate) fn factor_context(self, account: Option<&Account>) -> FactorContext {
        let enforced = match account {
            Some(account) => self.0.factors().enforces_second_factor(account),
            None => self.0.core.settings.factors.required == FactorRequirement::All,
        };
        if enforced {
            FactorContext::WithSecondFactor
        } else {
            FactorContext::PasswordOnly
        }
    }

    /// Minimum password length in characters for `account`; `None` stands for a new account.
    #[must_use]
    pub fn min_password_length(self, account: Option<&Account>) -> usize {
        self.factor_context(account).min_length()
    }

    /// Evaluates `password` for a new account. Stores nothing.
    ///
    /// # Errors
    /// [`AuthError::Store`] if the breach list cannot be read; `ThrottleError::HasherBusy`.
    pub async fn evaluate_new(
        self,
        password: Password,
        inputs: UserInputs,
    ) -> Result<PasswordStrength, AuthError> {
        let (context, priority) = (self.factor_context(None), HashPriority::Unfamiliar);
        self.evaluate_password(Arc::new(password), inputs, context, priority)
            .await
    }

    /// Evaluates `password` for `account`.
    ///
    /// # Errors
    /// As `evaluate_new`.
    pub async fn evaluate_for(
        self,
        account: &Account,
        password: Password,
    ) -> Result<PasswordStrength, AuthError> {
        let context = self.factor_context(Some(account));
        self.evaluate_password(
            Arc::new(password),
            UserInputs::from_account(account),
            context,
            HashPriority::Familiar,
        )
        .await
    }

    async fn evaluate_password(
        self,
        password: Arc<Password>,
        inputs: UserInputs,
        context: FactorContext,
        priority: HashPriority,
    ) -> Result<PasswordStrength, AuthError> {
        let PasswordRules {
            breaches,
            context_words: words,
            ..
        } = self.0.core.settings.passwords.clone();
        // On the hashing pool: bounded, at low priority.
        let hasher = self.0.hasher.queued_as(priority);
        let evaluated = hasher.run_on_pool(move || {
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

    /// Rejects a password that breaks the rules.
    pub(crate) async fn check_new_password(
        self,
        password: &Arc<Password>,
        inputs: UserInputs,
        context: FactorContext,
        priority: HashPriority,
    ) -> Result<(), AuthError> {
        let strength = self
            .evaluate_password(Arc::clone(password), inputs, context, priority)
            .await?;
        strength
            .rejection
            .map_or(Ok(()), |rejection| Err(rejection.into()))
    }
}

#[cfg(test)]
mod tests;
