//! Second factors: TOTP, recovery codes and passkeys. This file holds their common types; each kind
//! has its own file.

mod admin_reset;
mod enrollment;
mod management;
mod one_time_code;
pub mod passkey;
mod recovery_code;
mod totp;
mod totp_check;

pub use crate::settings::{FactorRequirement, FactorRules};
pub use admin_reset::AuditReason;
pub use enrollment::{EnrolledFactor, NewTotp};
pub use management::FactorOverview;
pub use one_time_code::OneTimeCode;
pub use recovery_code::RecoveryCode;

use std::{fmt, sync::Arc};

use jiff::Timestamp;

use crate::{SecureRandom, Username};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FactorKind {
    /// An authenticator app (RFC 6238). One per account.
    Totp,
    /// A single-use code on paper that replaces a lost factor. It exists only beside other factors.
    Recovery,
    /// A passkey (`WebAuthn`). Several per account.
    Passkey,
}

impl FactorKind {
    pub const ALL: [Self; 3] = [Self::Totp, Self::Recovery, Self::Passkey];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Recovery => "recovery",
            Self::Passkey => "passkey",
        }
    }

    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == raw)
    }
}

/// A set of [`FactorKind`]s of one account.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct FactorKinds(u8);

impl FactorKinds {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub fn of(kinds: impl IntoIterator<Item = FactorKind>) -> Self {
        kinds.into_iter().fold(Self::NONE, Self::with)
    }

    #[must_use]
    pub fn with(self, kind: FactorKind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    #[must_use]
    pub fn contains(self, kind: FactorKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Whether there is a second factor. Recovery codes alone do not count.
    #[must_use]
    pub fn is_enrolled(self) -> bool {
        self.contains(FactorKind::Totp) || self.contains(FactorKind::Passkey)
    }

    pub fn iter(self) -> impl Iterator<Item = FactorKind> {
        FactorKind::ALL
            .into_iter()
            .filter(move |kind| self.contains(*kind))
    }
}

impl fmt::Debug for FactorKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The id of a factor. TOTP and recovery codes: 128 random bits in hex. Passkey: its credential id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactorId(Arc<str>);

impl FactorId {
    #[must_use]
    pub fn random(rng: &SecureRandom) -> Self {
        Self::new(&hex::encode(rng.bytes::<16>()))
    }

    /// Wraps an id from the store or from a request. It is not validated; an unknown id finds
    /// nothing.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FactorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct Factor {
    pub id: FactorId,
    pub username: Username,
    pub kind: FactorKind,
    /// The name that the owner chose.
    pub name: String,
    /// TOTP: the sealed secret. Recovery: the code's hash. Passkey: its public half, JSON.
    pub body: String,
    /// TOTP: the last used time step. Passkey: the signature counter.
    pub counter: i64,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// When the recovery code was used.
    pub used_at: Option<Timestamp>,
}

impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factor")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
