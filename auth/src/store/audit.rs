//! The audit store. Entries without a change of rows are appended here; all others are appended in
//! the transaction of their change.

use super::{StoreResult, unsupported};
use crate::audit::{AuditEntry, AuditQuery, NewAuditEntry};

#[expect(unused_variables, reason = "the default implementation stores nothing")]
pub trait AuditStore: Clone + Send + Sync + 'static {
    /// Appends an entry to the accounts' chain.
    fn record(&self, entry: NewAuditEntry) -> impl Future<Output = StoreResult<()>> + Send;
    /// Returns a page of a chain.
    fn audit(
        &self,
        query: AuditQuery,
    ) -> impl Future<Output = StoreResult<Vec<AuditEntry>>> + Send {
        unsupported()
    }
}
