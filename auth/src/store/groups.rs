//! Groups and their roles. Each change appends the affected accounts to the account-event log in
//! its transaction.

use jiff::Timestamp;

use super::{InsertResult, StoreResult, unsupported};
use crate::{
    Account, Actor, RealmId, Role, StoreUnavailable, Username,
    model::group::{Group, GroupName},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupChange {
    Add(Username),
    Remove(Username),
    /// `None` removes the role.
    Role(RealmId, Option<Role>),
    Delete,
}

/// Why a change was rejected.
#[derive(Debug, thiserror::Error)]
pub enum GroupRejected {
    #[error("no such group")]
    NoSuchGroup,
    #[error("no such account")]
    NoSuchAccount,
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}

#[expect(unused_variables, reason = "the default implementation stores nothing")]
pub trait GroupStore: Clone + Send + Sync + 'static {
    /// By name.
    fn groups(&self) -> impl Future<Output = StoreResult<Vec<Group>>> + Send {
        unsupported()
    }
    fn group(&self, name: &GroupName) -> impl Future<Output = StoreResult<Option<Group>>> + Send {
        unsupported()
    }
    fn create_group(
        &self,
        name: &GroupName,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<InsertResult>> + Send {
        unsupported()
    }
    /// A change without effect is not recorded.
    fn change_group(
        &self,
        name: &GroupName,
        change: GroupChange,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), GroupRejected>> + Send {
        unsupported()
    }
    /// Groups with a role in the realm, by name.
    fn groups_in(
        &self,
        realm: &RealmId,
    ) -> impl Future<Output = StoreResult<Vec<(GroupName, Role)>>> + Send {
        unsupported()
    }
    /// Active accounts that have a role in the realm through groups, by username and group.
    fn members_via_groups(
        &self,
        realm: &RealmId,
    ) -> impl Future<Output = StoreResult<Vec<(Account, GroupName, Role)>>> + Send {
        unsupported()
    }
}
