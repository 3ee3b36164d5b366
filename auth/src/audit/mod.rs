//! The audit: actor, action, subject, session, origin, old and new state, and reason.
//!
//! The actions for accounts are here. A host has its own actions in its own chains, in the same
//! format. Deliberately absent: secrets.

mod action;
mod detail;
pub mod query;

use std::net::IpAddr;

use jiff::Timestamp;

pub use action::AuditAction;
pub use detail::{AuditDetail, AuditOrigin, OnBehalfOf};

use crate::{Actor, Origin, RealmId, Username};

/// The subject of an action on all accounts. It is no valid username.
pub const ALL_ACCOUNTS: &str = "*";

/// One chain of entries. Each chain has its own hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Accounts, roles, sessions, sign-ins.
    Accounts,
    /// Events of one realm.
    Realm(RealmId),
}

impl Chain {
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Accounts => "accounts",
            Self::Realm(id) => id.as_str(),
        }
    }
}

/// A new entry for the accounts' chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuditEntry {
    pub at: Timestamp,
    /// The username of the actor, also of a failed attempt; empty if unknown.
    pub actor: String,
    pub action: AuditAction,
    /// The account or object that the action applies to.
    pub subject: String,
    pub detail: AuditDetail,
}

impl NewAuditEntry {
    /// An action of an authenticated actor. The subject is the actor, unless `subject` changes it.
    #[must_use]
    pub fn new(by: &Actor, action: AuditAction, at: Timestamp) -> Self {
        let name = by.username.as_str().to_owned();
        Self {
            at,
            actor: name.clone(),
            action,
            subject: name,
            detail: AuditDetail::by(by),
        }
    }

    /// An attempt without authentication; `account` is the claimed account.
    #[must_use]
    pub fn attempt(
        account: Option<&Username>,
        from: &Origin,
        action: AuditAction,
        at: Timestamp,
    ) -> Self {
        let name = account.map_or("", Username::as_str).to_owned();
        let detail = AuditDetail {
            from: Some(AuditOrigin::of(from)),
            ..AuditDetail::default()
        };
        Self {
            at,
            actor: name.clone(),
            action,
            subject: name,
            detail,
        }
    }

    #[must_use]
    pub fn subject(self, subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            ..self
        }
    }

    /// See [`AuditDetail`].
    #[must_use]
    pub fn with_detail(mut self, add: impl FnOnce(AuditDetail) -> AuditDetail) -> Self {
        self.detail = add(self.detail);
        self
    }
}

/// A stored entry, with its position in its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub chain: String,
    /// Counts from 1 without gaps.
    pub seq: i64,
    pub at: Timestamp,
    pub actor: String,
    /// An [`AuditAction`], or a host's own word, such as `file.checked_out`.
    pub action: String,
    pub subject: String,
    pub detail: AuditDetail,
    /// SHA-256, hex, over the entry and `prev_hash`.
    pub hash: String,
    pub prev_hash: String,
}

/// A filter over one chain. All conditions must match.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    pub chain: Chain,
    pub actor: Option<String>,
    pub subject: Option<String>,
    /// Entries with this actor or subject, or about [all accounts](ALL_ACCOUNTS).
    pub involving: Option<Username>,
    /// The action, or its prefix up to a dot: `factor` matches `factor.added`.
    pub action: Option<String>,
    /// The address of the request.
    pub address: Option<IpAddr>,
    pub since: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
    pub cursor: AuditCursor,
    pub limit: u32,
}

/// The start and order of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditCursor {
    /// Newest first, before this `seq`.
    Before(i64),
    /// Oldest first, after this `seq`.
    After(i64),
}

impl AuditQuery {
    /// The newest entries of a chain.
    #[must_use]
    pub fn newest(chain: Chain, limit: u32) -> Self {
        Self {
            chain,
            actor: None,
            subject: None,
            involving: None,
            action: None,
            address: None,
            since: None,
            until: None,
            cursor: AuditCursor::Before(i64::MAX),
            limit,
        }
    }
}
