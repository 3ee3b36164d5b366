//! Second factors. What changes them is one transaction with everything that follows from it: other sessions end, the
//! one that goes on knows what it has proved, the audit has its entry.

use jiff::Timestamp;

use super::{StoreResult, unsupported};
use crate::{
    Actor, AuthMethods, Factor, FactorId, FactorKind, SecurityEpoch, SessionId, StoreUnavailable,
    TokenHash, Username, audit::AuditAction,
};

/// Factors that go, factors that come, in this order.
#[derive(Clone, Debug)]
pub struct FactorChange {
    pub username: Username,
    pub remove: Removal,
    pub add: Vec<Factor>,
    pub minimum: MinimumFactors,
    /// The session that goes on, and how its owner has proved themselves by now; every other one ends.
    pub keep: Option<(SessionId, AuthMethods)>,
    /// Whether accounts at providers that are joined to it part with it, too.
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
    /// [`FactorsRefused::NoSuchFactor`] where there is none of that id.
    One(FactorId),
    Kind(FactorKind),
    All,
}

/// How many second factors (not counting recovery codes) are left at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinimumFactors {
    /// When the last one goes, recovery codes go with it.
    None,
    /// [`FactorsRefused::Last`].
    One,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum FactorChangeRejected {
    #[error("no such account")]
    NoSuchAccount,
    #[error("no such factor")]
    NoSuchFactor,
    /// A second authenticator app, or a passkey that is somebody's already.
    #[error("the factor is there already")]
    Duplicate,
    #[error("the last factor")]
    LastFactor,
    /// The session that was to go on is over.
    #[error("the session has ended")]
    SessionEnded,
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}

/// A live session's owner has just proved themselves again, with these methods: it counts as signed in at `at`.
#[derive(Clone, Debug)]
pub struct StepUpRenewal {
    pub by: Actor,
    /// In which it was proved.
    pub epoch: SecurityEpoch,
    pub session: SessionId,
    pub methods: AuthMethods,
    pub at: Timestamp,
}

#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait FactorStore: Clone + Send + Sync + 'static {
    /// All of somebody's, oldest first, used recovery codes too.
    fn factors(&self, of: &Username) -> impl Future<Output = StoreResult<Vec<Factor>>> + Send {
        std::future::ready(Ok(Vec::new()))
    }
    /// By its id, whoever's it is: a passkey that signs in without a name is found so.
    fn factor(&self, id: &FactorId) -> impl Future<Output = StoreResult<Option<Factor>>> + Send {
        unsupported()
    }
    /// Decided and done in one transaction. Ends every session but `keep`, begins a new [era](crate::Era), and announces
    /// the account.
    fn change_factors(
        &self,
        change: FactorChange,
    ) -> impl Future<Output = Result<(), FactorChangeRejected>> + Send {
        unsupported()
    }
    /// Whether `step` is greater than any that was used before: of any number of parallel calls with one step, one
    /// hears true.
    fn consume_totp_step(
        &self,
        id: &FactorId,
        step: i64,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// A use of `factor` that leaves `body` and `counter` behind. Compare-and-swap: false if `factor.body` and
    /// `factor.counter` are not what is stored any more.
    fn update_factor_if(
        &self,
        factor: &Factor,
        body: String,
        counter: i64,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// Uses the code up and says how many are left; `None` if there is none such, or somebody was quicker.
    fn consume_recovery_code(
        &self,
        by: &Actor,
        code: &TokenHash,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<u32>>> + Send {
        unsupported()
    }
    /// False if there is no such factor of that account.
    fn rename_factor(
        &self,
        of: &Username,
        id: &FactorId,
        name: String,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    /// Announces the account. False if the session is over, or the account in another era.
    fn renew_session(
        &self,
        renewal: StepUpRenewal,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
}
