//! Scopes (RFC 6749 §3.3): the upper bound of what a session or token may do. The account's own
//! rights are the other bound; an action needs both.

use std::fmt;

/// One scope token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `files:read`: names, content, history and events.
    ReadFiles,
    /// `files:write`: check out and in, add, move, restore, delete.
    WriteFiles,
    /// `locks:override`: break another user's lock.
    OverrideLocks,
    /// `admin`: accounts, members, vaults.
    Administer,
    /// `account`: the user's own password, sessions, factors and tokens. Never delegated to
    /// clients.
    OwnAccount,
}

impl Scope {
    pub const ALL: [Self; 5] = [
        Self::ReadFiles,
        Self::WriteFiles,
        Self::OverrideLocks,
        Self::Administer,
        Self::OwnAccount,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadFiles => "files:read",
            Self::WriteFiles => "files:write",
            Self::OverrideLocks => "locks:override",
            Self::Administer => "admin",
            Self::OwnAccount => "account",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of [`Scope`]s. Displays as a space-separated list, in the order of [`Scope::ALL`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Unknown scope \"{0}\".")]
pub struct UnknownScope(pub String);

impl Scopes {
    pub const NONE: Self = Self(0);
    /// The scopes of an interactive sign-in.
    pub const ALL: Self = Self(0b1_1111);
    /// The scopes that a user can delegate to a client.
    pub const DELEGABLE: Self = Self(0b0_1111);

    #[must_use]
    pub fn of(scopes: &[Scope]) -> Self {
        scopes
            .iter()
            .fold(Self::NONE, |all, scope| Self(all.0 | bit(*scope)))
    }

    /// Parses a space-separated list.
    ///
    /// # Errors
    /// [`UnknownScope`] with the first unknown word.
    pub fn parse(text: &str) -> Result<Self, UnknownScope> {
        let mut scopes = Self::NONE;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let known = Scope::ALL.into_iter().find(|scope| scope.as_str() == word);
            scopes.0 |= bit(known.ok_or_else(|| UnknownScope(word.chars().take(40).collect()))?);
        }
        Ok(scopes)
    }

    #[must_use]
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & bit(scope) != 0
    }

    /// The scopes in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The scopes without `scope`.
    #[must_use]
    pub fn without(self, scope: Scope) -> Self {
        Self(self.0 & !bit(scope))
    }

    /// Whether all scopes of `self` are in `other`.
    #[must_use]
    pub fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.contains(*scope))
    }
}

fn bit(scope: Scope) -> u8 {
    1 << scope as u8
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Scope::as_str).collect();
        f.write_str(&words.join(" "))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_parses_in_any_order_without_duplicates() {
        let scope = Scopes::parse("admin files:read  files:read").unwrap();
        assert_eq!(scope.to_string(), "files:read admin");
        assert_eq!(Scopes::parse(&Scopes::ALL.to_string()), Ok(Scopes::ALL));
        assert_eq!(
            Scopes::parse("files:read Files:Write"),
            Err(UnknownScope("Files:Write".to_owned()))
        );
        assert!(scope.is_subset(Scopes::ALL) && !Scopes::ALL.is_subset(scope));
    }
}
