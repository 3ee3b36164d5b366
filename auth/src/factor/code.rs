//! What somebody types where a code is asked for: six digits of an app, or a recovery code.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use super::RecoveryCode;
use crate::guessing::Secret;

/// Cannot print.
pub struct OneTimeCode(pub(crate) Typed);

pub(crate) enum Typed {
    App(SecretString),
    Recovery(RecoveryCode),
    /// Neither: wrong, whoever's it would be.
    Nonsense,
}

impl OneTimeCode {
    #[must_use]
    pub fn typed(raw: &str) -> Self {
        let digits: String = raw
            .chars()
            .filter(|c| !matches!(c, ' ' | '-'))
            .take(64)
            .collect();
        if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self(Typed::App(digits.into()));
        }
        Self(RecoveryCode::parse(raw).map_or(Typed::Nonsense, Typed::Recovery))
    }

    /// Which authenticator's failures a wrong one counts among.
    pub(crate) fn secret(&self) -> Secret {
        match self.0 {
            Typed::Recovery(_) => Secret::RecoveryCode,
            Typed::App(_) | Typed::Nonsense => Secret::Totp,
        }
    }

    /// The six digits, where it is six digits.
    pub(crate) fn digits(&self) -> Option<&str> {
        match &self.0 {
            Typed::App(digits) => Some(digits.expose_secret()),
            Typed::Recovery(_) | Typed::Nonsense => None,
        }
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totp_code_parses_with_any_grouping() {
        for typed in ["123456", "123 456", " 123-456 "] {
            assert_eq!(
                OneTimeCode::typed(typed).digits(),
                Some("123456"),
                "{typed}"
            );
        }
        for other in ["12345", "1234567", "１２３４５６", "+12345", ""] {
            assert!(
                matches!(OneTimeCode::typed(other).0, Typed::Nonsense),
                "{other}"
            );
        }
        let recovery = OneTimeCode::typed("0123-4567-89ab-cdef-ghjk-mnpq");
        assert!(matches!(recovery.0, Typed::Recovery(_)));
        assert_eq!(format!("{recovery:?}"), "OneTimeCode(…)");
    }
}
