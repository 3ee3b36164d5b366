//! The audit: what stands on its own is appended here; what changes rows is recorded by the store, with the change.

use super::{StoreResult, unsupported};
use crate::audit::{AuditEntry, AuditQuery, NewAuditEntry};

#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait AuditStore: Clone + Send + Sync + 'static {
    /// Appends to the accounts' chain.
    fn record(&self, entry: NewAuditEntry) -> impl Future<Output = StoreResult<()>> + Send;
    /// A page of a chain.
    fn audit(
        &self,
        query: AuditQuery,
    ) -> impl Future<Output = StoreResult<Vec<AuditEntry>>> + Send {
        unsupported()
    }
}
