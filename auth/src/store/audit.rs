//! The audit: what stands on its own is appended here; what changes rows is recorded by the store, with the change.

use super::{Answer, absent};
use crate::audit::{AuditQuery, Entry, Record};

#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait AuditStore: Clone + Send + Sync + 'static {
    /// Appends to the accounts' chain.
    fn record(&self, record: Record) -> impl Future<Output = Answer<()>> + Send;
    /// A page of a chain.
    fn audit(&self, query: AuditQuery) -> impl Future<Output = Answer<Vec<Entry>>> + Send {
        absent()
    }
}
