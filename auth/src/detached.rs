//! Work that continues when its request is dropped.

use crate::AuthError;

/// Runs `work` in a task of its own. The host drops a request's future when its client
/// disconnects: an attempt must still be counted then, and a change must not stop half-way.
///
/// Our server detaches whole requests as well. A host that embeds this crate may not.
pub(crate) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, AuthError>> + Send + 'static,
) -> Result<T, AuthError> {
    tokio::spawn(work)
        .await
        .unwrap_or(Err(AuthError::Internal("a detached task panicked")))
}
