//! Authentication methods: `amr` (RFC 8176).

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    Password,
    /// A time-based one-time password.
    Otp,
    /// A recovery code in place of a second factor.
    Recovery,
    /// A passkey: proof of possession of a key.
    Passkey,
    /// The passkey's device verified its user (PIN, fingerprint, face).
    UserVerified,
    /// An upstream `OpenID` provider.
    Upstream,
}

impl AuthMethod {
    pub const ALL: [Self; 6] = [
        Self::Password,
        Self::Otp,
        Self::Recovery,
        Self::Passkey,
        Self::UserVerified,
        Self::Upstream,
    ];

    /// The value of RFC 8176 §2, if one exists.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Otp => "otp",
            Self::Recovery => "recovery",
            Self::Passkey => "pop",
            Self::UserVerified => "user",
            Self::Upstream => "upstream",
        }
    }
}

/// A set of [`AuthMethod`]s. Displays as a space-separated list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuthMethods(u8);

impl AuthMethods {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub fn of(methods: &[AuthMethod]) -> Self {
        methods
            .iter()
            .fold(Self::NONE, |all, method| all.with(*method))
    }

    #[must_use]
    pub fn with(self, method: AuthMethod) -> Self {
        Self(self.0 | 1 << method as u8)
    }

    /// The methods in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Parses the output of `Display`; unknown words are ignored.
    #[must_use]
    pub fn parse(words: &str) -> Self {
        let known = |word: &str| {
            AuthMethod::ALL
                .into_iter()
                .find(|method| method.as_str() == word)
        };
        words
            .split(' ')
            .filter_map(known)
            .fold(Self::NONE, Self::with)
    }

    #[must_use]
    pub fn contains(self, method: AuthMethod) -> bool {
        self.0 & (1 << method as u8) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = AuthMethod> {
        AuthMethod::ALL
            .into_iter()
            .filter(move |method| self.contains(*method))
    }

    /// Two factors: a password or provider with a second one, or a passkey with user verification.
    #[must_use]
    pub fn is_multi_factor(self) -> bool {
        let second = self.contains(AuthMethod::Otp)
            || self.contains(AuthMethod::Recovery)
            || self.contains(AuthMethod::Passkey);
        let first = self.contains(AuthMethod::Password) || self.contains(AuthMethod::Upstream);
        first && second
            || self.contains(AuthMethod::Passkey) && self.contains(AuthMethod::UserVerified)
    }

    /// The `amr` claim, with `mfa` if it applies.
    #[must_use]
    pub fn amr(self) -> Vec<String> {
        let mfa = self.is_multi_factor().then(|| "mfa".to_owned());
        self.iter()
            .map(|method| method.as_str().to_owned())
            .chain(mfa)
            .collect()
    }
}

impl fmt::Display for AuthMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(AuthMethod::as_str).collect();
        f.write_str(&words.join(" "))
    }
}

impl fmt::Debug for AuthMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthMethods({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multi_factor_requires_two_kinds_of_factor() {
        assert!(!AuthMethods::of(&[AuthMethod::Password]).is_multi_factor());
        assert!(!AuthMethods::of(&[AuthMethod::Passkey]).is_multi_factor());
        assert!(AuthMethods::of(&[AuthMethod::Password, AuthMethod::Otp]).is_multi_factor());
        assert!(
            AuthMethods::of(&[AuthMethod::Passkey, AuthMethod::UserVerified]).is_multi_factor()
        );
        let all = AuthMethods::of(&AuthMethod::ALL);
        assert_eq!(AuthMethods::parse(&all.to_string()), all);
    }
}
