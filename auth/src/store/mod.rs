//! What auth asks of a database. Each function is one transaction: all of it is durable when it returns, or none is.
//!
//! Whatever takes something away (a session, a right, a standing) also appends the account's name to the
//! account-event log in the same transaction, so that every node's [directory](crate::session::cache) forgets it.

mod audit;
mod email_links;
mod factors;
mod groups;
mod identities;
mod invitations;
mod keys;
mod members;
mod one_time_tokens;
mod password_resets;
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
pub use one_time_tokens::{OneTimeKind, OneTimeToken, OneTimeTokenStore};
pub use password_resets::{PasswordReset, ResetConditions, ResetStore};
pub use sign_in_context::{SignInContext, SourceFamiliarity};
pub use throttles::{
    AttemptSource, Bucket, Charge, FailureCount, LockoutQuery, NetworkPrefix, PurgeCutoffs,
    RateClass, ThrottleQuery, ThrottleState, ThrottleStore, ThrottleTarget,
};

use jiff::Timestamp;

use crate::{
    Account, AccountChange, AccountStatus, Actor, NewAccount, Origin, PasswordHash, Realm, RealmId,
    Role, SecurityEpoch, Session, SessionId, StoreUnavailable, TokenHash, Username,
};

/// An account with what it signs in with.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub account: Account,
    pub password: PasswordHash,
}

/// What became of an insertion that may meet an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertResult {
    Inserted,
    /// The name is or was somebody's, or is the console's.
    Duplicate,
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeRejected {
    #[error("no such account")]
    NoSuchAccount,
    #[error("the last administrator")]
    LastAdministrator,
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}

/// What a refresh token was worth.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// It was alive: now it is used, and the successor is stored.
    Rotated(Session),
    /// It was used within the grace and its successor never was: the successor is replaced by the new one.
    Retried(Session),
    /// It was used before: somebody else has a copy. The session has been ended.
    Replayed(Session),
    /// Unknown, or of a session that is over.
    Invalid,
}

/// How an end came about, for the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    SignedOut,
    EndedByOwner,
    Revoked,
    Replayed,
    PasswordChanged,
    FactorsChanged,
    EndedByAdministrator,
}

impl EndReason {
    /// As it is stored and audited.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::EndedByOwner => "ended_by_owner",
            Self::Revoked => "revoked",
            Self::Replayed => "replayed",
            Self::PasswordChanged => "password_changed",
            Self::FactorsChanged => "factors_changed",
            Self::EndedByAdministrator => "ended_by_administrator",
        }
    }
}

/// The end of a session, told whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEnd {
    pub reason: EndReason,
    pub by: Actor,
    pub at: Timestamp,
}

/// Everybody's sessions end at once.
#[derive(Clone, Debug)]
pub struct EndAllSessions {
    /// This one goes on.
    pub keep: Option<SessionId>,
    pub tokens: PersonalTokenPolicy,
    pub end: SessionEnd,
    /// Why, in the words of whoever did it.
    pub reason: String,
}

/// What becomes of personal access tokens where all sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonalTokenPolicy {
    Keep,
    SessionEnd,
}

/// Why a password is replaced: an upgrade is no change and ends nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordWrite {
    /// Same password, better hash (a bcrypt import, or raised parameters).
    Rehash,
    /// A new password; every session but `keep` ends. `keep: None` ends all of them.
    Change {
        keep: Option<SessionId>,
        epoch: SecurityEpoch,
    },
    /// A new password; no session ends.
    ChangeKeepingSessions { epoch: SecurityEpoch },
}

impl PasswordWrite {
    /// Whether it may be made of `account` as it is in the transaction: a change begins where its owner was let in, and
    /// comes to nothing where everything was thrown out since, or a link has to set the password.
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

/// One entry of the account-event log: the account of this name is to be read anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEvent {
    /// Without gaps, in the order of commits.
    pub seq: i64,
    pub username: Username,
}

pub type StoreResult<T> = Result<T, StoreUnavailable>;

/// The answer of a store that does not keep such a thing.
pub(crate) fn unsupported<T, E>() -> impl Future<Output = Result<T, E>> + Send
where
    T: Send,
    E: From<StoreUnavailable> + Send,
{
    std::future::ready(Err(StoreUnavailable::from_source(
        "this store does not keep that",
    )
    .into()))
}

/// Answered by the crate `store`, and by anybody who embeds this crate. Here are accounts, sessions and the log; each
/// further thing has a trait of its own, in a file of its own: where a host does without the thing (second factors, groups,
/// invitations, …), an empty `impl` is enough, and whoever asks for it hears that it is not to be had.
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
    /// Adds an account with roles, by inserting before asking. `by` is whoever is responsible: itself when somebody registers.
    fn create_account(
        &self,
        new: NewAccount,
        roles: Vec<(RealmId, Role)>,
        by: Actor,
    ) -> impl Future<Output = StoreResult<InsertResult>> + Send;
    /// As [`create_account`](Self::create_account) with `administrator`, but only while no active administrator exists
    /// (decided inside the transaction): `None` if there is one.
    fn create_first_administrator(
        &self,
        new: NewAccount,
        by: Actor,
    ) -> impl Future<Output = StoreResult<Option<InsertResult>>> + Send;
    fn credentials(
        &self,
        username: &Username,
    ) -> impl Future<Output = StoreResult<Option<Credentials>>> + Send;
    /// Of the hashes of active accounts one at least of each kind and cost, and few beside.
    fn hash_samples(&self) -> impl Future<Output = StoreResult<Vec<PasswordHash>>> + Send;
    /// The account with its roles; `None` for unknown, `Some` with [`Standing`] for others.
    fn member(
        &self,
        username: &Username,
    ) -> impl Future<Output = StoreResult<Option<Member>>> + Send;
    /// By username, without deleted ones.
    fn members(&self, query: AccountQuery)
    -> impl Future<Output = StoreResult<Vec<Member>>> + Send;
    /// Changes what `change` names. Disabling, deleting and requiring a reset end all sessions and begin a new
    /// [era](Era). The last active administrator is kept
    /// one inside the transaction.
    fn change_account(
        &self,
        username: &Username,
        change: AccountChange,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = Result<Account, ChangeRejected>> + Send;
    /// `None` takes the role away.
    #[expect(clippy::too_many_arguments, reason = "one transaction, told whole")]
    fn set_role(
        &self,
        username: &Username,
        realm: &RealmId,
        role: Option<Role>,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), ChangeRejected>> + Send;
    /// Everybody with a role in the realm, by username; active accounts only.
    fn members_of(
        &self,
        realm: &RealmId,
    ) -> impl Future<Output = StoreResult<Vec<(Account, Role)>>> + Send;
    /// Compare-and-swap: false if `old` is not the stored hash any more, or if it does not [fit](Replacement::fits).
    /// A change begins a new [era](Era), an upgrade doesn't.
    #[expect(clippy::too_many_arguments, reason = "one transaction, told whole")]
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
    /// Stores the session with the hash of its refresh token or cookie, by [`SessionKind`](crate::SessionKind).
    /// Records the sign-in, and says what it comes after. `None`, and nothing is kept, where the account is not active,
    /// or is in another [era](Era) than when what the session begins from was proved.
    fn start_session(
        &self,
        session: Session,
        secret: TokenHash,
        epoch: SecurityEpoch,
    ) -> impl Future<Output = StoreResult<Option<SignInContext>>> + Send;
    /// Whether the account signed in from such a place before; the first place of all is known.
    #[expect(unused_variables, reason = "a host may do without")]
    fn is_known_source(
        &self,
        username: &Username,
        from: &Origin,
    ) -> impl Future<Output = StoreResult<SourceFamiliarity>> + Send {
        std::future::ready(Ok(SourceFamiliarity::Known))
    }
    /// Live personal tokens that end by then, live for longer than twice that, and whose owners were not told yet: each
    /// is handed out once, to one of all who ask.
    #[expect(unused_variables, reason = "a host may do without")]
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
    /// The live session that a refresh token belongs to, the token used or not: for revocation and introspection.
    fn session_by_refresh(
        &self,
        token: &TokenHash,
    ) -> impl Future<Output = StoreResult<Option<RefreshState>>> + Send;
    /// One conditional update: of any number of parallel calls with the same `old`, one gets `Rotated`.
    /// Idle sessions (last seen before `idle_since`) are `Dead`. `grace` is counted from the first use.
    fn rotate_refresh(
        &self,
        rotation: RefreshRotation,
    ) -> impl Future<Output = StoreResult<Rotation>> + Send;
    fn touch_session(
        &self,
        id: &SessionId,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send;
    /// Live ones, newest sign of life first.
    fn sessions_of(
        &self,
        username: &Username,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Vec<Session>>> + Send;
    /// True if it was alive and belonged to `username`.
    fn end_session(
        &self,
        username: &Username,
        id: &SessionId,
        end: SessionEnd,
    ) -> impl Future<Output = StoreResult<bool>> + Send;
    /// Ends all sessions of an account, but `keep`, and begins a new [era](Era); says how many.
    fn end_sessions(
        &self,
        username: &Username,
        keep: Option<&SessionId>,
        end: SessionEnd,
    ) -> impl Future<Output = StoreResult<u64>> + Send;
    /// Of all accounts: [announces](crate::session::cache) each that had one, and records it as one entry about
    /// [`EVERYBODY`](crate::audit::EVERYBODY). For each account a new [era](Era) begins. Says how many sessions there were.
    #[expect(unused_variables, reason = "a host may do without")]
    fn end_all_sessions(
        &self,
        all: EndAllSessions,
    ) -> impl Future<Output = StoreResult<u64>> + Send {
        unsupported()
    }

    // realms
    fn realms(&self) -> impl Future<Output = StoreResult<Vec<Realm>>> + Send;

    // the account-event log
    /// Events with a greater `n`, oldest first, at most 1,000.
    fn account_events_after(
        &self,
        seq: i64,
    ) -> impl Future<Output = StoreResult<Vec<AccountEvent>>> + Send;
    fn last_account_event(&self) -> impl Future<Output = StoreResult<i64>> + Send;

    // upkeep
    /// Forgets refresh tokens and sessions that ended before `before`, and slips that expired before it; says how many
    /// sessions.
    fn purge_ended(&self, before: Timestamp) -> impl Future<Output = StoreResult<u64>> + Send;
}

/// The arguments of [`AuthStore::rotate_refresh`].
#[derive(Clone, Debug)]
pub struct RefreshRotation {
    pub old: TokenHash,
    pub new: TokenHash,
    pub at: Timestamp,
    /// Sessions not seen since are dead.
    pub idle_since: Timestamp,
    /// A second use at or after this moment of the first one is forgiven, while the successor is unused.
    pub grace_since: Timestamp,
}

/// A refresh token as it is stored.
#[derive(Clone, Debug)]
pub struct RefreshState {
    pub session: Session,
    pub used: bool,
}
