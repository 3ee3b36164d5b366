//! Identities at upstream providers that are linked to accounts.

use jiff::Timestamp;

use super::{InsertResult, StoreResult, unsupported};
use crate::{Actor, NewAccount, RealmId, Role, SecurityEpoch, Username};

/// An identity is the pair of issuer and subject. Everything else may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
    /// The id of the operator's provider.
    pub provider: String,
    /// A display name at the provider. It grants no access.
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

/// The result of creating an account with an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkResult {
    Linked,
    /// The name is or was in use, or is reserved for the console.
    UsernameTaken,
    /// The identity is already linked, possibly by a parallel login of the same user.
    IdentityTaken,
}

#[expect(unused_variables, reason = "the default implementation stores nothing")]
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
    /// `Taken` if the identity is already linked; `None` if the session of `by` has ended or its
    /// account's security epoch has changed. The check is part of the transaction.
    fn link_identity(
        &self,
        by: Actor,
        epoch: SecurityEpoch,
        new: NewIdentity,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<InsertResult>>> + Send {
        unsupported()
    }
    /// Unlinks by [identity id](crate::upstream::identity_id); false if the identity is not linked
    /// to this account.
    ///
    /// Sessions that began at any provider end, except the one of `by`, and the [security
    /// epoch](crate::SecurityEpoch) increases.
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
    /// Creates an account and its identity together.
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
