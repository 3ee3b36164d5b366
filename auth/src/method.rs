//! How somebody proved who they are: `amr` (RFC 8176).

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Password,
    /// A time-based one-time password.
    Otp,
    /// A recovery code in place of a second factor.
    Recovery,
    /// A passkey: proof of possession of a key.
    Passkey,
    /// The passkey's device has checked its user (PIN, finger, face).
    UserVerified,
    /// An upstream `OpenID` provider.
    Upstream,
}

impl Method {
    pub const ALL: [Self; 6] = [
        Self::Password,
        Self::Otp,
        Self::Recovery,
        Self::Passkey,
        Self::UserVerified,
        Self::Upstream,
    ];

    /// RFC 8176 §2 where it has a word.
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

/// A set of [`Method`]s; prints as words with spaces between them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Methods(u8);

impl Methods {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub fn of(methods: &[Method]) -> Self {
        methods
            .iter()
            .fold(Self::NONE, |all, method| all.with(*method))
    }

    #[must_use]
    pub fn with(self, method: Method) -> Self {
        Self(self.0 | 1 << method as u8)
    }

    /// What is in either.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Takes back what `Display` wrote; words that are unknown are left out.
    #[must_use]
    pub fn stored(words: &str) -> Self {
        let known = |word: &str| {
            Method::ALL
                .into_iter()
                .find(|method| method.as_str() == word)
        };
        words
            .split(' ')
            .filter_map(known)
            .fold(Self::NONE, Self::with)
    }

    #[must_use]
    pub fn contains(self, method: Method) -> bool {
        self.0 & (1 << method as u8) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Method> {
        Method::ALL
            .into_iter()
            .filter(move |method| self.contains(*method))
    }

    /// Two factors: a password with a second one, or a passkey whose device knows its user.
    #[must_use]
    pub fn is_multi_factor(self) -> bool {
        let second = self.contains(Method::Otp)
            || self.contains(Method::Recovery)
            || self.contains(Method::Passkey);
        let first = self.contains(Method::Password) || self.contains(Method::Upstream);
        first && second || self.contains(Method::Passkey) && self.contains(Method::UserVerified)
    }

    /// `amr` of a token, with `mfa` where it holds.
    #[must_use]
    pub fn amr(self) -> Vec<String> {
        let mfa = self.is_multi_factor().then(|| "mfa".to_owned());
        self.iter()
            .map(|method| method.as_str().to_owned())
            .chain(mfa)
            .collect()
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Method::as_str).collect();
        f.write_str(&words.join(" "))
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Methods({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multi_factor_requires_two_kinds_of_factor() {
        assert!(!Methods::of(&[Method::Password]).is_multi_factor());
        assert!(!Methods::of(&[Method::Passkey]).is_multi_factor());
        assert!(Methods::of(&[Method::Password, Method::Otp]).is_multi_factor());
        assert!(Methods::of(&[Method::Passkey, Method::UserVerified]).is_multi_factor());
        let all = Methods::of(&Method::ALL);
        assert_eq!(Methods::stored(&all.to_string()), all);
    }
}
