//! The store interface of this crate. Each function is one transaction: all of it is durable on
//! return, or none is.
//!
//! Each change that revokes a session, a right or access also appends the account to the
//! account-event log in the same transaction. Every node's [session cache](crate::session::cache)
//! then invalidates it.

mod audit;
mod email_links;
mod factors;
mod groups;
mod identities;
mod invitations;
mod keys;
mod members;
mod network_prefix;
pub(crate) mod one_time;
mod one_time_tokens;
mod password_resets;
mod sessions;
mod sign_in_context;
mod throttles;

pub use audit::AuditStore;
pub use email_links::{EmailConfirmation, EmailLinkStore};
pub use factors::{
    FactorChange, FactorChangeRejected, FactorStore, MinimumFactors, Removal, StepUpRenewal,
};
pub use groups::{GroupChange, GroupRejected, GroupStore};
pub use identities::{Identity, IdentityStore, LinkResult, NewIdentity};
pub use invitations::{AcceptInvitation, AcceptInvitationResult, InvitationStore};
pub use keys::{KeyPurpose, KeyStore, Reseal, Resealed, StoredKey};
pub use members::{AccountFilter, AccountQuery, Member, Membership};
pub use network_prefix::NetworkPrefix;
pub use one_time_tokens::{OneTimeKind, OneTimeToken, OneTimeTokenStore};
pub use password_resets::{PasswordReset, ResetConditions, ResetStore};
pub use sessions::{
    EndAllSessions, EndReason, PersonalTokenPolicy, RefreshRotation, RefreshState, Rotation,
    SessionEnd,
};
pub use sign_in_context::{SignInContext, SourceFamiliarity};
pub use throttles::{
    AttemptSource, Bucket, Charge, FailureCount, LockoutQuery, PurgeCutoffs, RateClass,
    ThrottleQuery, ThrottleState, ThrottleStore, ThrottleTarget,
};

use jiff::Timestamp;

use crate::{
    Account, AccountChange, AccountStatus, Actor, NewAccount, Origin, PasswordHash, Realm, RealmId,
    Role, SecurityEpoch, Session, SessionId, StoreUnavailable, TokenHash, Username,
};

/// An account with its password hash.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub account: Account,
    pub password: PasswordHash,
}

/// The result of an insertion that may be a duplicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertResult {
    Inserted,
    /// The name is or was in use, or is reserved for the console.
    Duplicate,
}

/// Why a change to an account was rejected.
#[derive(Debug, thiserror::Error)]
pub enum ChangeRejected {
    #[error("no such account")]
    NoSuchAccount,
    #[error("the last administrator")]
    LastAdministrator,
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}

/// Why a password hash is replaced. A rehash ends no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordWrite {
    /// The same password with a stronger hash (a bcrypt import, or a higher cost).
    Rehash,
    /// A new password. Every session but `keep` ends.
    Change {
        keep: Option<SessionId>,
        epoch: SecurityEpoch,
    },
    /// A new password. No session ends.
    ChangeKeepingSessions { epoch: SecurityEpoch },
}

impl PasswordWrite {
    /// Whether the write still applies to `account`, checked in the transaction. A change fails if
    /// all sessions were revoked since the sign-in, or if a reset link must set the password.
    #[must_use]
    pub fn still_applies(&self, account: &Account) -> bool {
        match self {
            Self::Rehash => true,
            Self::Change { epoch, .. } | Self::ChangeKeepingSessions { epoch } => {
                account.status == AccountStatus::Active
                    && !account.must_change_password
                    && account.epoch == *epoch
            }
        }
    }
}

/// An entry of the account-event log: cached data of this account is outdated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEvent {
    /// Without gaps, in commit order.
    pub seq: i64,
    pub username: Username,
}

pub type StoreResult<T> = Result<T, StoreUnavailable>;

/// The default implementation of an optional feature.
pub(crate) fn unsupported<T, E>() -> impl Future<Output = Result<T, E>> + Send
where
    T: Send,
    E: From<StoreUnavailable> + Send,
{
    std::future::ready(Err(StoreUnavailable::from_source(
        "this store does not support the operation",
    )
    .into()))
}

/// The store trait, implemented by the crate `store` and by other hosts.
///
/// It holds accounts, sessions and the event log. Each further feature has its own trait and file.
/// A host without the feature (second factors, groups, invitations, …) writes an empty `impl`; its
/// calls then fail with an error.
pub trait AuthStore:
    EmailLinkStore
    + AuditStore
    + FactorStore
    + GroupStore
    + IdentityStore
    + InvitationStore
    + KeyStore
    + ResetStore
    + OneTimeTokenStore
    + ThrottleStore
    + Clone
    + Send
    + Sync
    + 'static
{
    // accounts
    /// Inserts an account with roles and reports a duplicate, without a query before. `by` is the
    /// responsible actor: the account itself when a user registers.
    fn create_account(
        &self,
        new: NewAccount,
        roles: Vec<(RealmId, Role)>,
        by: Actor,
    ) -> impl Future<Output = StoreResult<InsertResult>> + Send;
    /// As [`create_account`](Self::create_account) with `administrator`, but only if no active
    /// administrator exists. The check is part of the transaction: `None` if there is one.
    fn create_first_administrator(
        &self,
        new: NewAccount,
        by: Actor,
    ) -> impl Future<Output = StoreResult<Option<InsertResult>>> + Send;
    fn credentials(
        &self,
        username: &Username,
    ) -> impl Future<Output = StoreResult<Option<Credentials>>> + Send;
    /// Password hashes of active accounts: at least one of each algorithm and cost, and few others.
    fn hash_samples(&self) -> impl Future<Output = StoreResult<Vec<PasswordHash>>> + Send;
    /// The account with its roles, in any [`AccountStatus`]; `None` if it is unknown.
    fn member(
        &self,
        username: &Username,
    ) -> impl Future<Output = StoreResult<Option<Member>>> + Send;
    /// Ordered by username, without deleted accounts.
    fn members(&self, query: AccountQuery)
    -> impl Future<Output = StoreResult<Vec<Member>>> + Send;
    /// Applies `change`. Disabling, deleting and requiring a reset end all sessions and increment
    /// the [security epoch](SecurityEpoch). Removing the last active administrator is rejected in
    /// the transaction.
    fn change_account(
        &self,
        username: &Username,
        change: AccountChange,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = Result<Account, ChangeRejected>> + Send;
    /// `None` removes the role.
    #[expect(clippy::too_many_arguments, reason = "the facts of one transaction")]
    fn set_role(
        &self,
        username: &Username,
        realm: &RealmId,
        role: Option<Role>,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), ChangeRejected>> + Send;
    /// Active accounts with a role in the realm, by username.
    fn members_of(
        &self,
        realm: &RealmId,
    ) -> impl Future<Output = StoreResult<Vec<(Account, Role)>>> + Send;
    /// Compare-and-swap: false if `old` is no longer the stored hash, or if the write does not
    /// [still apply](PasswordWrite::still_applies). A change increments the [security
    /// epoch](SecurityEpoch), a rehash does not.
    #[expect(clippy::too_many_arguments, reason = "the facts of one transaction")]
    fn replace_password(
        &self,
        username: &Username,
        old: &PasswordHash,
        new: PasswordHash,
        write: PasswordWrite,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send;
    fn has_administrator(&self) -> impl Future<Output = StoreResult<bool>> + Send;

    // sessions
    /// Stores the session with the hash of its refresh token or cookie, by
    /// [`SessionKind`](crate::SessionKind). Records the sign-in and returns its context.
    ///
    /// `None`, with nothing stored, if the account is not active or its security epoch differs from
    /// `epoch`.
    fn start_session(
        &self,
        session: Session,
        secret: TokenHash,
        epoch: SecurityEpoch,
    ) -> impl Future<Output = StoreResult<Option<SignInContext>>> + Send;
    /// Whether the account has signed in from this source before. The very first source counts as
    /// known.
    #[expect(unused_variables, reason = "optional for hosts")]
    fn is_known_source(
        &self,
        username: &Username,
        from: &Origin,
    ) -> impl Future<Output = StoreResult<SourceFamiliarity>> + Send {
        std::future::ready(Ok(SourceFamiliarity::Known))
    }
    /// Live personal tokens that expire by `by`, with more than twice that lifetime, whose owners
    /// were not reminded. Of any number of parallel calls, one receives each token.
    #[expect(unused_variables, reason = "optional for hosts")]
    fn claim_expiring_tokens(
        &self,
        at: Timestamp,
        by: Timestamp,
    ) -> impl Future<Output = StoreResult<Vec<Session>>> + Send {
        std::future::ready(Ok(Vec::new()))
    }
    fn session(&self, id: &SessionId) -> impl Future<Output = StoreResult<Option<Session>>> + Send;
    fn session_by_cookie(
        &self,
        cookie: &TokenHash,
    ) -> impl Future<Output = StoreResult<Option<Session>>> + Send;
    /// The live session of a refresh token, used or unused, for revocation and introspection.
    fn session_by_refresh(
        &self,
        token: &TokenHash,
    ) -> impl Future<Output = StoreResult<Option<RefreshState>>> + Send;
    /// One conditional update: of any number of parallel calls with the same `old`, one returns
    /// `Rotated`. Idle sessions (last seen before `idle_since`) are `Invalid`. The grace period
    /// starts at the first use.
    fn rotate_refresh(
        &self,
        rotation: RefreshRotation,
    ) -> impl Future<Output = StoreResult<Rotation>> + Send;
    fn touch_session(
        &self,
        id: &SessionId,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send;
    /// Live sessions, latest activity first.
    fn sessions_of(
        &self,
        username: &Username,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Vec<Session>>> + Send;
    /// Makes a session [persistent](crate::session::model::Persistence).
    fn persist_session(&self, id: &SessionId) -> impl Future<Output = StoreResult<()>> + Send {
        let _ = id;
        unsupported()
    }
    /// Why the session of this cookie has ended; `None` if it has not, or is unknown.
    fn end_reason_of_cookie(
        &self,
        cookie: &TokenHash,
    ) -> impl Future<Output = StoreResult<Option<EndReason>>> + Send {
        let _ = cookie;
        std::future::ready(Ok(None))
    }
    /// True if the session was live and belonged to `username`.
    fn end_session(
        &self,
        username: &Username,
        id: &SessionId,
        end: SessionEnd,
    ) -> impl Future<Output = StoreResult<bool>> + Send;
    /// Ends all sessions of an account but `keep` and increments the [security
    /// epoch](SecurityEpoch). Returns their number.
    fn end_sessions(
        &self,
        username: &Username,
        keep: Option<&SessionId>,
        end: SessionEnd,
    ) -> impl Future<Output = StoreResult<u64>> + Send;
    /// Ends the sessions of all accounts and increments each [security epoch](SecurityEpoch).
    ///
    /// Appends each account that had a session to the event log, and one audit entry about [all
    /// accounts](crate::audit::ALL_ACCOUNTS). Returns the number of sessions.
    #[expect(unused_variables, reason = "optional for hosts")]
    fn end_all_sessions(
        &self,
        all: EndAllSessions,
    ) -> impl Future<Output = StoreResult<u64>> + Send {
        unsupported()
    }

    // realms
    fn realms(&self) -> impl Future<Output = StoreResult<Vec<Realm>>> + Send;

    // the account-event log
    /// Events with a greater `seq`, oldest first, at most 1,000.
    fn account_events_after(
        &self,
        seq: i64,
    ) -> impl Future<Output = StoreResult<Vec<AccountEvent>>> + Send;
    fn last_account_event(&self) -> impl Future<Output = StoreResult<i64>> + Send;

    // upkeep
    /// Deletes refresh tokens and sessions that ended before `before`, and one-time tokens that
    /// expired before it. Returns the number of sessions.
    fn purge_ended(&self, before: Timestamp) -> impl Future<Output = StoreResult<u64>> + Send;
}
