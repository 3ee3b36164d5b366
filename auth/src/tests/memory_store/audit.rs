//! The audit, as a list without a hash chain.

use super::{MemoryStore, Tables};
use crate::{
    Actor, Session, SessionKind,
    audit::{AuditAction, AuditCursor, AuditEntry, AuditQuery, Chain, NewAuditEntry},
    store::{AuditStore, SignInContext, SourceFamiliarity, StoreResult},
};

impl AuditStore for MemoryStore {
    async fn record(&self, record: NewAuditEntry) -> StoreResult<()> {
        self.query()?.audit.push(record);
        Ok(())
    }

    async fn audit(&self, query: AuditQuery) -> StoreResult<Vec<AuditEntry>> {
        let tables = self.query()?;
        let numbered = (1..)
            .zip(&tables.audit)
            .map(|(n, record)| audit_entry(n, record));
        let fits = |entry: &AuditEntry| {
            let is = |wanted: &Option<String>, found: &str| {
                wanted.as_ref().is_none_or(|wanted| wanted == found)
            };
            is(&query.actor, &entry.actor)
                && is(&query.subject, &entry.subject)
                && is(&query.action, &entry.action)
        };
        let mut entries: Vec<AuditEntry> = numbered.filter(fits).collect();
        match query.cursor {
            AuditCursor::Before(n) => {
                entries.retain(|entry| entry.seq < n);
                entries.reverse();
            }
            AuditCursor::After(n) => entries.retain(|entry| entry.seq > n),
        }
        entries.truncate(query.limit as usize);
        Ok(entries)
    }
}

fn audit_entry(n: i64, record: &NewAuditEntry) -> AuditEntry {
    AuditEntry {
        chain: Chain::Accounts.key().to_owned(),
        seq: n,
        at: record.at,
        actor: record.actor.clone(),
        action: record.action.as_str().to_owned(),
        subject: record.subject.clone(),
        detail: record.detail.clone(),
        hash: String::new(),
        prev_hash: String::new(),
    }
}

impl Tables {
    /// Records the sign-in. A source is known here by its user agent alone.
    pub(crate) fn record_sign_in(&mut self, session: &Session) -> SignInContext {
        let mut theirs = self
            .sessions
            .values()
            .filter(|other| other.username == session.username)
            .peekable();
        let is_first = theirs.peek().is_none();
        let known =
            is_first || theirs.any(|other| other.origin.user_agent == session.origin.user_agent);
        let by = Actor::new(session.username.clone()).with_origin(&session.origin);
        let action = if session.kind == SessionKind::Personal {
            AuditAction::TokenCreated
        } else {
            AuditAction::SignedIn
        };
        self.audit
            .push(NewAuditEntry::new(&by, action, session.auth_time));
        let source = if known {
            SourceFamiliarity::Known
        } else {
            SourceFamiliarity::New
        };
        SignInContext {
            source,
            ..SignInContext::default()
        }
    }
}

impl MemoryStore {
    /// Subject and action of all audit entries, oldest first.
    pub(crate) fn audit_actions(&self) -> Vec<(String, &'static str)> {
        self.tables()
            .audit
            .iter()
            .map(|record| (record.subject.clone(), record.action.as_str()))
            .collect()
    }
}
