//! Realms: named protection spaces in which accounts hold roles (RFC 7235 §2.2). Strongroom's
//! realms are its vaults.

use std::{fmt, sync::Arc};

/// Random, opaque id of 32 lower-case hex digits; the first part of every database key of the
/// realm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RealmId(Arc<str>);

impl RealmId {
    /// Wraps a stored id, without validation.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    #[must_use]
    pub fn random(rng: &crate::SecureRandom) -> Self {
        Self(hex::encode(rng.bytes::<16>()).into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 1 to 64 of `a-z 0-9 - _`, beginning with a letter or digit: usable as URL segment and folder
/// name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RealmName(Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "A vault name must have 1 to 64 of the letters a to z, digits, - and _, and begin with a letter or a digit."
)]
pub struct BadRealmName;

impl RealmName {
    pub fn parse(raw: &str) -> Result<Self, BadRealmName> {
        let raw = raw.trim();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !(1..=64).contains(&raw.len())
            || !raw.starts_with(plain)
            || !raw.chars().all(|c| plain(c) || c == '-' || c == '_')
        {
            return Err(BadRealmName);
        }
        Ok(Self(raw.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RealmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    pub id: RealmId,
    pub name: RealmName,
}

/// Ordered: each role includes the rights of the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Viewer,
    Editor,
    Manager,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Manager];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Manager => "manager",
        }
    }

    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == raw)
    }
}
