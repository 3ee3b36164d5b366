//! Accounts at upstream providers that open ours.

use jiff::Timestamp;

use super::{InsertResult, StoreResult, unsupported};
use crate::{Actor, NewAccount, RealmId, Role, SecurityEpoch, Username};

/// Known by issuer and subject; everything else about it may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
    /// Which of the operator's providers it was.
    pub provider: String,
    /// What it is called there, to tell it from others. Opens nothing.
    pub display_hint: Option<String>,
    pub username: Username,
    pub linked_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIdentity {
    pub issuer: String,
    pub subject: String,
    pub provider: String,
    pub display_hint: Option<String>,
}

/// What became of a new account that an identity opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkResult {
    LinkResult,
    /// The name is or was somebody's, or is the console's.
    UsernameTaken,
    /// The identity opens an account already: somebody else was quicker, and may be the same person.
    IdentityTaken,
}

#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait IdentityStore: Clone + Send + Sync + 'static {
    fn identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> impl Future<Output = StoreResult<Option<Identity>>> + Send {
        unsupported()
    }
    /// By provider.
    fn identities_of(
        &self,
        username: &Username,
    ) -> impl Future<Output = StoreResult<Vec<Identity>>> + Send {
        unsupported()
    }
    /// `Taken` where it opens an account already; `None` where the session through which `by` acts is over or its account is in
    /// another era, which is decided inside the transaction.
    fn link_identity(
        &self,
        by: Actor,
        epoch: SecurityEpoch,
        new: NewIdentity,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<InsertResult>>> + Send {
        unsupported()
    }
    /// By its [id](crate::upstream::identity_id); false if it does not open this account. The sessions that began at a
    /// provider end with it (which one it was is not written down), but for the one through which `by` acts, and a new
    /// [era](crate::Era) begins.
    fn unlink_identity(
        &self,
        by: Actor,
        id: &str,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send {
        unsupported()
    }
    fn touch_identity(
        &self,
        issuer: &str,
        subject: &str,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send {
        unsupported()
    }
    /// A new account with its identity, or neither.
    fn create_linked_account(
        &self,
        new: NewAccount,
        roles: Vec<(RealmId, Role)>,
        identity: NewIdentity,
        by: Actor,
    ) -> impl Future<Output = StoreResult<LinkResult>> + Send {
        unsupported()
    }
}
