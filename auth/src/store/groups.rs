//! Groups and their roles. Whoever is concerned by a change is announced in the account-event log, in its transaction.

use jiff::Timestamp;

use super::{Answer, Inserted, absent};
use crate::{Account, Actor, RealmId, Role, Unavailable, Username, group::Group, group::GroupName};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupChange {
    Add(Username),
    Remove(Username),
    /// `None` takes the role away.
    Role(RealmId, Option<Role>),
    Delete,
}

/// Why a group was not changed.
#[derive(Debug, thiserror::Error)]
pub enum GroupRefused {
    #[error("no such group")]
    NoSuchGroup,
    #[error("no such account")]
    NoSuchAccount,
    #[error(transparent)]
    Store(#[from] Unavailable),
}

#[expect(unused_variables, reason = "what is not kept is not looked at")]
pub trait GroupStore: Clone + Send + Sync + 'static {
    /// By name.
    fn groups(&self) -> impl Future<Output = Answer<Vec<Group>>> + Send {
        absent()
    }
    fn group(&self, name: &GroupName) -> impl Future<Output = Answer<Option<Group>>> + Send {
        absent()
    }
    fn create_group(
        &self,
        name: &GroupName,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = Answer<Inserted>> + Send {
        absent()
    }
    /// A change that changes nothing is none, and not recorded.
    fn change_group(
        &self,
        name: &GroupName,
        change: GroupChange,
        by: Actor,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), GroupRefused>> + Send {
        absent()
    }
    /// Groups with a role in the realm, by name.
    fn groups_in(
        &self,
        realm: &RealmId,
    ) -> impl Future<Output = Answer<Vec<(GroupName, Role)>>> + Send {
        absent()
    }
    /// Active accounts that have a role in the realm through groups, by username and group.
    fn members_through(
        &self,
        realm: &RealmId,
    ) -> impl Future<Output = Answer<Vec<(Account, GroupName, Role)>>> + Send {
        absent()
    }
}
