//! Signing keys and peppers, sealed under the master key. The database alone opens none of them.

use jiff::Timestamp;

use super::{StoreResult, unsupported};
use crate::keys::rewrap::Rewrapper;
pub use crate::keys::stored_key::{KeyPurpose, StoredKey};

/// A master key rotation, in one transaction.
#[derive(Debug)]
pub struct Reseal {
    /// The ids of the old and the new master key.
    pub old: String,
    pub new: String,
    /// The pepper of the old master key, sealed under the new one.
    pub pepper: StoredKey,
    /// Reseals values under the new master key.
    pub rewrapper: Rewrapper,
    pub at: Timestamp,
}

/// Counts of resealed values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    pub keys: u64,
    pub totp_secrets: u64,
    /// Values that the old master key did not open. They stay unchanged.
    pub unreadable: u64,
}

/// A host without a persistent key ring may keep it in memory. Its tokens then end with the
/// process.
#[expect(unused_variables, reason = "the default implementation stores nothing")]
pub trait KeyStore: Clone + Send + Sync + 'static {
    /// Newest first. One of them is the signing key, if there are any.
    fn keys(&self, purpose: KeyPurpose)
    -> impl Future<Output = StoreResult<Vec<StoredKey>>> + Send;
    /// Adds `new` as the signing key and retires `old` at `new.created_at`.
    ///
    /// False, with nothing changed, if `old` is not the signing key, or if `old` is `None` and a
    /// signing key exists.
    fn replace_key(
        &self,
        new: StoredKey,
        old: Option<&str>,
    ) -> impl Future<Output = StoreResult<bool>> + Send;
    /// Deletes keys that were retired before `before`. Returns their number.
    fn purge_keys(&self, before: Timestamp) -> impl Future<Output = StoreResult<u64>> + Send;
    /// Deletes peppers that were retired before `before` and that no password uses. Returns their
    /// number.
    fn purge_peppers(&self, before: Timestamp) -> impl Future<Output = StoreResult<u64>> + Send {
        std::future::ready(Ok(0))
    }
    /// The id of the active master key. `None` if it is not set yet, or if the host stores none;
    /// the master key then cannot be rotated.
    fn master_id(&self) -> impl Future<Output = StoreResult<Option<String>>> + Send {
        std::future::ready(Ok(None))
    }
    /// Sets the active master key without resealing.
    ///
    /// False, with nothing changed, if `old` is not active, or if `old` is `None` and one is
    /// active.
    ///
    /// While one is active, [`replace_key`](Self::replace_key) and the enrollment of an
    /// authenticator app reject values that are sealed under another. A process with an outdated
    /// key cannot write values that the active key does not open.
    fn set_master_id(
        &self,
        id: &str,
        old: Option<&str>,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        std::future::ready(Ok(true))
    }
    /// Reseals all sealed values, deletes sealed one-time tokens (they live for minutes), keeps the
    /// pepper, and records the rotation. `None`, with nothing changed, if `old` is not active.
    fn reseal(&self, reseal: Reseal) -> impl Future<Output = StoreResult<Option<Resealed>>> + Send {
        unsupported()
    }
}
