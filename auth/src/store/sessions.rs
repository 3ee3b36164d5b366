//! The ends of sessions, and the rotation of refresh tokens.

use jiff::Timestamp;

use crate::{Actor, Session, SessionId, TokenHash};

/// The result of a refresh token rotation.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// The token was valid. It is now used, and its successor is stored.
    Rotated(Session),
    /// The token was used within the grace period and its successor was not: the new token replaces
    /// the successor.
    Retried(Session),
    /// The token was used before and may have leaked. The session has been ended.
    Replayed(Session),
    /// The token is unknown, or its session has ended.
    Invalid,
}

/// Why a session ended, for the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    SignedOut,
    EndedByOwner,
    Revoked,
    Replayed,
    PasswordChanged,
    FactorsChanged,
    EndedByAdministrator,
}

impl EndReason {
    const ALL: [Self; 7] = [
        Self::SignedOut,
        Self::EndedByOwner,
        Self::Revoked,
        Self::Replayed,
        Self::PasswordChanged,
        Self::FactorsChanged,
        Self::EndedByAdministrator,
    ];

    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == raw)
    }

    /// The word in the store and the audit.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::EndedByOwner => "ended_by_owner",
            Self::Revoked => "revoked",
            Self::Replayed => "replayed",
            Self::PasswordChanged => "password_changed",
            Self::FactorsChanged => "factors_changed",
            Self::EndedByAdministrator => "ended_by_administrator",
        }
    }
}

/// The end of a session, with cause, actor and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEnd {
    pub reason: EndReason,
    pub by: Actor,
    pub at: Timestamp,
}

/// The end of all sessions of all accounts.
#[derive(Clone, Debug)]
pub struct EndAllSessions {
    /// The session that stays.
    pub keep: Option<SessionId>,
    pub tokens: PersonalTokenPolicy,
    pub end: SessionEnd,
    /// Free text of the actor.
    pub reason: String,
}

/// Whether personal access tokens end too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonalTokenPolicy {
    Keep,
    End,
}

/// The arguments of [`AuthStore::rotate_refresh`](super::AuthStore::rotate_refresh).
#[derive(Clone, Debug)]
pub struct RefreshRotation {
    pub old: TokenHash,
    pub new: TokenHash,
    pub at: Timestamp,
    /// Sessions that were last seen before this are invalid.
    pub idle_since: Timestamp,
    /// A second use is accepted if the first one was at or after this time and the successor is
    /// unused.
    pub grace_since: Timestamp,
}

/// A stored refresh token.
#[derive(Clone, Debug)]
pub struct RefreshState {
    pub session: Session,
    pub used: bool,
}
