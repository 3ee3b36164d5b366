//! The keys that sign, sealed under the master key: what stands in the database opens nothing.

use jiff::Timestamp;
use secrecy::SecretString;

use super::Answer;

/// What a key of the ring is for: a key has one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPurpose {
    /// Signs access tokens.
    AccessTokens,
}

impl KeyPurpose {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessTokens => "access_tokens",
        }
    }
}

/// One key as it is stored.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// Its name in tokens (`kid`): may be read by anybody.
    pub kid: String,
    pub purpose: KeyPurpose,
    /// By its registered name (RFC 7518), for people who look; what counts is sealed with the key.
    pub algorithm: String,
    pub sealed: SecretString,
    pub made_at: Timestamp,
    /// Since when it only verifies; `None` for the one that signs.
    pub retired_at: Option<Timestamp>,
}

/// A host that needs no ring of its own may keep it in memory: tokens then end with the process.
pub trait KeyStore: Clone + Send + Sync + 'static {
    /// Newest first; one of them signs, if there are any.
    fn keys(&self, purpose: KeyPurpose) -> impl Future<Output = Answer<Vec<StoredKey>>> + Send;
    /// Adds `new` as the one that signs and retires `old` at `new.made_at`. False, with nothing changed, if `old` does
    /// not sign (any more), or with `None`, if there is one that does.
    fn replace_key(&self, new: StoredKey, old: Option<&str>) -> impl Future<Output = Answer<bool>> + Send;
    /// Forgets those that were retired before `before`; says how many.
    fn forget_keys(&self, before: Timestamp) -> impl Future<Output = Answer<u64>> + Send;
}
