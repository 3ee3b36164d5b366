//! Second factors. Each change is one transaction with its consequences: other sessions end, the
//! kept session gains its methods, and the audit gets an entry.

use jiff::Timestamp;

use super::{StoreResult, unsupported};
use crate::{
    Actor, AuthMethods, Factor, FactorId, FactorKind, SecurityEpoch, SessionId, StoreUnavailable,
    TokenHash, Username, audit::AuditAction,
};

/// Removals and additions, in this order.
#[derive(Clone, Debug)]
pub struct FactorChange {
    pub username: Username,
    pub remove: Removal,
    pub add: Vec<Factor>,
    pub minimum: MinimumFactors,
    /// The session that stays, with its new methods. Every other session ends.
    pub keep: Option<(SessionId, AuthMethods)>,
    /// Whether linked provider identities are unlinked too.
    pub unlink_identities: bool,
    pub by: Actor,
    pub action: AuditAction,
    /// For the audit: facts, and `reason`. A JSON object; no secrets.
    pub detail: serde_json::Value,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    Nothing,
    /// [`FactorChangeRejected::NoSuchFactor`] if the id is unknown.
    One(FactorId),
    Kind(FactorKind),
    All,
}

/// The minimum of second factors that must remain, without recovery codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinimumFactors {
    /// If the last one is removed, recovery codes are removed too.
    None,
    /// One must remain, or the change fails with [`FactorChangeRejected::LastFactor`].
    One,
}

/// Why the change was rejected.
#[derive(Debug, thiserror::Error)]
pub enum FactorChangeRejected {
    #[error("no such account")]
    NoSuchAccount,
    #[error("no such factor")]
    NoSuchFactor,
    /// A second authenticator app, or a passkey that is already registered.
    #[error("the factor already exists")]
    Duplicate,
    #[error("the last factor")]
    LastFactor,
    /// The session to keep has ended.
    #[error("the session has ended")]
    SessionEnded,
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}

/// A step-up of a live session with these methods. Its `auth_time` becomes `at`.
#[derive(Clone, Debug)]
pub struct StepUpRenewal {
    pub by: Actor,
    /// The security epoch of the authentication.
    pub epoch: SecurityEpoch,
    pub session: SessionId,
    pub methods: AuthMethods,
    pub at: Timestamp,
}

#[expect(unused_variables, reason = "the default implementation stores nothing")]
pub trait FactorStore: Clone + Send + Sync + 'static {
    /// All factors of the account, oldest first, including used recovery codes.
    fn factors(&self, of: &Username) -> impl Future<Output = StoreResult<Vec<Factor>>> + Send {
        std::future::ready(Ok(Vec::new()))
    }
    /// Finds a factor of any account by its id, for discoverable passkeys.
    fn factor(&self, id: &FactorId) -> impl Future<Output = StoreResult<Option<Factor>>> + Send {
        unsupported()
    }
    /// Applies the change in one transaction. Ends every session but `keep`, increments the
    /// [security epoch](crate::SecurityEpoch), and appends the account to the event log.
    fn change_factors(
        &self,
        change: FactorChange,
    ) -> impl Future<Output = Result<(), FactorChangeRejected>> + Send {
        unsupported()
    }
    /// Whether `step` is greater than every used one. Of any number of parallel calls with one
    /// step, one returns true.
    fn consume_totp_step(
        &self,
        id: &FactorId,
        step: i64,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// Compare-and-swap after a use of `factor`: stores `body` and `counter`. False if
    /// `factor.body` or `factor.counter` has changed.
    fn update_factor_if(
        &self,
        factor: &Factor,
        body: String,
        counter: i64,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// Consumes the code and returns the number of unused ones; `None` if it is unknown or already
    /// used.
    fn consume_recovery_code(
        &self,
        by: &Actor,
        code: &TokenHash,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<u32>>> + Send {
        unsupported()
    }
    /// False if the account has no such factor.
    fn rename_factor(
        &self,
        of: &Username,
        id: &FactorId,
        name: String,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// Appends the account to the event log. False if the session has ended or the security epoch
    /// has changed.
    fn renew_session(
        &self,
        renewal: StepUpRenewal,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
}
