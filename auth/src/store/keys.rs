//! The keys that sign, sealed under the master key: what stands in the database opens nothing.

use jiff::Timestamp;
use secrecy::SecretString;

use super::{StoreResult, unsupported};
use crate::keys::rotation::Rewrapper;

/// What a key of the ring is for: a key has one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPurpose {
    /// Signs access tokens.
    AccessTokens,
    /// Keyed passwords, and came from a master key that was replaced: none of them is used for new ones.
    Peppers,
}

impl KeyPurpose {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessTokens => "access_tokens",
            Self::Peppers => "peppers",
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
    pub created_at: Timestamp,
    /// Since when it only verifies; `None` for the one that signs.
    pub retired_at: Option<Timestamp>,
}

/// Another master key comes into force, in one transaction.
#[derive(Debug)]
pub struct Reseal {
    /// The names of the master keys.
    pub old: String,
    pub new: String,
    /// What keyed passwords under the old one, sealed under the new one.
    pub pepper: StoredKey,
    /// Seals anew.
    pub rewrapper: Rewrapper,
    pub at: Timestamp,
}

/// What was sealed anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    pub keys: u64,
    pub totp_secrets: u64,
    /// What did not open under the old master key either, and was left as it is.
    pub unreadable: u64,
}

/// A host that needs no ring of its own may keep it in memory: tokens then end with the process.
#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait KeyStore: Clone + Send + Sync + 'static {
    /// Newest first; one of them signs, if there are any.
    fn keys(&self, purpose: KeyPurpose)
    -> impl Future<Output = StoreResult<Vec<StoredKey>>> + Send;
    /// Adds `new` as the one that signs and retires `old` at `new.made_at`. False, with nothing changed, if `old` does
    /// not sign (any more), or with `None`, if there is one that does.
    fn replace_key(
        &self,
        new: StoredKey,
        old: Option<&str>,
    ) -> impl Future<Output = StoreResult<bool>> + Send;
    /// Forgets those that were retired before `before`; says how many.
    fn purge_keys(&self, before: Timestamp) -> impl Future<Output = StoreResult<u64>> + Send;
    /// Forgets peppers that were retired before `before` and that no password is under; says how many.
    fn purge_peppers(&self, before: Timestamp) -> impl Future<Output = StoreResult<u64>> + Send {
        std::future::ready(Ok(0))
    }
    /// The name of the master key in force. `None` where none has said its name yet, and where a host keeps none:
    /// its master key cannot be replaced then.
    fn master_id(&self) -> impl Future<Output = StoreResult<Option<String>>> + Send {
        std::future::ready(Ok(None))
    }
    /// `name` is in force from now on, and nothing is sealed anew. False, with nothing changed, if `old` is not in force
    /// (any more), or with `None`, if there is one that is.
    ///
    /// While one is in force, [`replace_key`](Self::replace_key) and whatever adds an authenticator app refuse what was
    /// [sealed under](crate::keys::seal::sealed_under) another: a process that has not heard of the new one cannot write
    /// what nobody can open.
    fn set_master_id(
        &self,
        id: &str,
        old: Option<&str>,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        std::future::ready(Ok(true))
    }
    /// Seals everything anew that is sealed, drops the slips that are (they are minutes old), keeps the pepper, and
    /// records it. `None`, with nothing changed, if `old` is not in force.
    fn reseal(&self, reseal: Reseal) -> impl Future<Output = StoreResult<Option<Resealed>>> + Send {
        unsupported()
    }
}
