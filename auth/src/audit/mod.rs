//! What the audit says: who did what to whom, on whose behalf, from where, what was there before and after, and why.
//!
//! The words for accounts are here; a host has its own words in its own chains, in the same shape. Never a secret.

mod action;
mod detail;
pub mod query;

use std::net::IpAddr;

use jiff::Timestamp;

pub use action::AuditAction;
pub use detail::{AuditDetail, AuditOrigin, OnBehalfOf};

use crate::{Actor, Origin, RealmId, Username};

/// The subject of what is done to all accounts at once. Nobody is called that.
pub const ALL_ACCOUNTS: &str = "*";

/// What a chain of entries is about. Each stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Accounts, roles, sessions, sign-ins.
    Accounts,
    /// What happened in one realm.
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

/// An entry about to be appended to the accounts' chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuditEntry {
    pub at: Timestamp,
    /// Who did it, or tried to; empty where nobody knows.
    pub actor: String,
    pub action: AuditAction,
    /// Whom or what it is about.
    pub subject: String,
    pub detail: AuditDetail,
}

impl NewAuditEntry {
    /// Something done by somebody, to themself unless [`about`](Self::about) says otherwise.
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

    /// Something tried by somebody who has not proved who they are; `whose` account it would have been.
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

    /// See [`Detail`].
    #[must_use]
    pub fn with_detail(mut self, add: impl FnOnce(AuditDetail) -> AuditDetail) -> Self {
        self.detail = add(self.detail);
        self
    }
}

/// An entry as it was written, with its place in its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub chain: String,
    /// Counts from 1 without gaps.
    pub seq: i64,
    pub at: Timestamp,
    pub actor: String,
    /// A [`AuditAction`], or a host's own word, as `file.checked_out`.
    pub action: String,
    pub subject: String,
    pub detail: AuditDetail,
    /// SHA-256, hex, over the entry and `prev_hash`.
    pub hash: String,
    pub prev_hash: String,
}

/// Which entries of a chain. Everything that is given must fit.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    pub chain: Chain,
    pub actor: Option<String>,
    pub subject: Option<String>,
    /// Who did it, or to whom it was done, or [everybody](EVERYBODY).
    pub involving: Option<Username>,
    /// The whole word, or its beginning up to a dot: `factor` finds `factor.added`.
    pub action: Option<String>,
    /// Of the request.
    pub address: Option<IpAddr>,
    pub since: Option<Timestamp>,
    /// Not this moment itself.
    pub until: Option<Timestamp>,
    pub cursor: AuditCursor,
    pub limit: u32,
}

/// Where a page of the audit begins, and its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditCursor {
    /// Newest first, those before this number.
    Before(i64),
    /// Oldest first, those after this number.
    After(i64),
}

impl AuditQuery {
    /// The newest of a chain.
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
