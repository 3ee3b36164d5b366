//! Parsing of the one code field of sign-in: six digits of an authenticator app, or a recovery
//! code.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use super::RecoveryCode;
use crate::{model::typed_code, throttle::CredentialKind};

/// Has no `Debug` that shows the code.
pub struct OneTimeCode(pub(crate) ParsedCode);

pub(crate) enum ParsedCode {
    Totp(SecretString),
    Recovery(RecoveryCode),
    /// Neither form: wrong for every account.
    Malformed,
}

impl OneTimeCode {
    #[must_use]
    pub fn parse(raw: &str) -> Self {
        let digits = typed_code::fold(raw);
        if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self(ParsedCode::Totp(digits.into()));
        }
        Self(RecoveryCode::parse(raw).map_or(ParsedCode::Malformed, ParsedCode::Recovery))
    }

    /// The credential kind whose failures a wrong code counts for.
    pub(crate) fn credential_kind(&self) -> CredentialKind {
        match self.0 {
            ParsedCode::Recovery(_) => CredentialKind::RecoveryCode,
            ParsedCode::Totp(_) | ParsedCode::Malformed => CredentialKind::Totp,
        }
    }

    /// The six digits of a TOTP code.
    pub(crate) fn digits(&self) -> Option<&str> {
        match &self.0 {
            ParsedCode::Totp(digits) => Some(digits.expose_secret()),
            ParsedCode::Recovery(_) | ParsedCode::Malformed => None,
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
        for input in [
            "123456",
            "123 456",
            " 123-456 ",
            "１２３４５６",
            "123\u{3000}456\n",
        ] {
            assert_eq!(
                OneTimeCode::parse(input).digits(),
                Some("123456"),
                "{input}"
            );
        }
        for other in ["12345", "1234567", "１２３４５", "+12345", "½23456", ""] {
            assert!(
                matches!(OneTimeCode::parse(other).0, ParsedCode::Malformed),
                "{other}"
            );
        }
        let recovery = OneTimeCode::parse("0123-4567-89ab-cdef-ghjk-mnpq");
        assert!(matches!(recovery.0, ParsedCode::Recovery(_)));
        assert_eq!(format!("{recovery:?}"), "OneTimeCode(…)");
    }
}
