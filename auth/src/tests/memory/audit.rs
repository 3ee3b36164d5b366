//! The audit, as a list without hashes.

use super::{Memory, Tables};
use crate::{
    Actor, Session, SessionKind,
    audit::{AuditQuery, Chain, Deed, Entry, AuditCursor, NewAuditEntry},
    store::{StoreResult, SignInContext, AuditStore, SourceFamiliarity},
};

impl AuditStore for Memory {
    async fn record(&self, record: NewAuditEntry) -> StoreResult<()> {
        self.ask()?.audit.push(record);
        Ok(())
    }

    async fn audit(&self, query: AuditQuery) -> StoreResult<Vec<Entry>> {
        let tables = self.ask()?;
        let numbered = (1..).zip(&tables.audit).map(|(n, record)| entry(n, record));
        let fits = |entry: &Entry| {
            let is = |wanted: &Option<String>, found: &str| {
                wanted.as_ref().is_none_or(|wanted| wanted == found)
            };
            is(&query.actor, &entry.actor)
                && is(&query.subject, &entry.subject)
                && is(&query.action, &entry.action)
        };
        let mut entries: Vec<Entry> = numbered.filter(fits).collect();
        match query.from {
            AuditCursor::Before(n) => {
                entries.retain(|entry| entry.n < n);
                entries.reverse();
            }
            AuditCursor::After(n) => entries.retain(|entry| entry.n > n),
        }
        entries.truncate(query.limit as usize);
        Ok(entries)
    }
}

fn entry(n: i64, record: &NewAuditEntry) -> Entry {
    Entry {
        chain: Chain::Accounts.key().to_owned(),
        n,
        at: record.at,
        actor: record.actor.clone(),
        action: record.deed.as_str().to_owned(),
        subject: record.subject.clone(),
        detail: record.detail.clone(),
        hash: String::new(),
        prev_hash: String::new(),
    }
}

impl Tables {
    /// Records the sign-in; a place is known by its program alone here.
    pub(super) fn recorded_start(&mut self, session: &Session) -> SignInContext {
        let mut theirs = self
            .sessions
            .values()
            .filter(|other| other.username == session.username)
            .peekable();
        let is_first = theirs.peek().is_none();
        let known =
            is_first || theirs.any(|other| other.origin.user_agent == session.origin.user_agent);
        let by = Actor::new(session.username.clone()).with_origin(&session.origin);
        let deed = if session.kind == SessionKind::Personal {
            Deed::TokenMade
        } else {
            Deed::SignedIn
        };
        self.audit.push(NewAuditEntry::new(&by, deed, session.auth_time));
        let place = if known {
            SourceFamiliarity::Known
        } else {
            SourceFamiliarity::New
        };
        SignInContext {
            place,
            ..SignInContext::default()
        }
    }
}

impl Memory {
    /// To whom what was done, oldest first.
    pub(crate) fn deeds(&self) -> Vec<(String, &'static str)> {
        self.tables()
            .audit
            .iter()
            .map(|record| (record.subject.clone(), record.deed.as_str()))
            .collect()
    }
}
