//! Groups: accounts that share roles in realms. A group cannot make its members administrators. An
//! account's role is the highest of its own and those of its groups.

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::Timestamp;

use crate::{
    Account, Admin, AuthError, AuthStore, Permit, RealmId, Role, Username,
    actions::{ManageAccounts, ManageMembers, ReadAccounts, ReadMembers},
    error::AccountError,
    store::{GroupChange, GroupRejected, InsertResult},
};

/// 1 to 64 of `a-z 0-9 - _`, beginning with a letter or digit: usable as URL segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "A group name must have 1 to 64 of the letters a to z, digits, - and _, and begin with a letter or a digit."
)]
pub struct BadGroupName;

impl GroupName {
    pub fn parse(raw: &str) -> Result<Self, BadGroupName> {
        let raw = raw.trim();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_valid =
            raw.starts_with(plain) && raw.chars().all(|c| plain(c) || c == '-' || c == '_');
        if is_valid && raw.len() <= 64 {
            Ok(Self(raw.into()))
        } else {
            Err(BadGroupName)
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: GroupName,
    /// Sorted by username, without deleted accounts.
    pub members: Vec<Username>,
    pub roles: Vec<(RealmId, Role)>,
    pub created_at: Timestamp,
}

/// An account with a role in a realm, and the sources of the role.
#[derive(Clone, Debug)]
pub struct RealmMember {
    pub account: Account,
    /// The role of the account itself.
    pub direct: Option<Role>,
    pub via_groups: Vec<(GroupName, Role)>,
}

impl RealmMember {
    /// The highest role.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.via_groups
            .iter()
            .map(|(_, role)| *role)
            .chain(self.direct)
            .max()
    }
}

impl<S: AuthStore> Admin<'_, S> {
    /// Lists all groups, sorted by name.
    pub async fn groups(self, _permit: &Permit<ReadAccounts>) -> Result<Vec<Group>, AuthError> {
        Ok(self.0.core.store.groups().await?)
    }

    /// # Errors
    /// `AccountError::NoSuchGroup`.
    pub async fn group(
        self,
        _permit: &Permit<ReadAccounts>,
        name: &GroupName,
    ) -> Result<Group, AuthError> {
        self.0
            .core
            .store
            .group(name)
            .await?
            .ok_or(AuthError::Account(AccountError::NoSuchGroup))
    }

    /// # Errors
    /// `AccountError::GroupTaken`.
    pub async fn create_group(
        self,
        permit: &Permit<ManageAccounts>,
        name: &GroupName,
    ) -> Result<Group, AuthError> {
        let at = self.0.core.clock.now();
        match self
            .0
            .core
            .store
            .create_group(name, permit.actor().clone(), at)
            .await?
        {
            InsertResult::Inserted => Ok(Group {
                name: name.clone(),
                members: Vec::new(),
                roles: Vec::new(),
                created_at: at,
            }),
            InsertResult::Duplicate => Err(AuthError::Account(AccountError::GroupTaken)),
        }
    }

    /// Deletes the group and revokes its members' roles at once.
    ///
    /// # Errors
    /// `AccountError::NoSuchGroup`.
    pub async fn delete_group(
        self,
        permit: &Permit<ManageAccounts>,
        name: &GroupName,
    ) -> Result<(), AuthError> {
        self.change_group(name, GroupChange::Delete, permit.actor())
            .await
    }

    /// # Errors
    /// `AccountError::NoSuchGroup`, `AccountError::NoSuchAccount`.
    pub async fn add_to_group(
        self,
        permit: &Permit<ManageAccounts>,
        name: &GroupName,
        username: &Username,
    ) -> Result<(), AuthError> {
        self.change_group(name, GroupChange::Add(username.clone()), permit.actor())
            .await
    }

    /// # Errors
    /// `AccountError::NoSuchGroup`, `AccountError::NoSuchAccount`.
    pub async fn remove_from_group(
        self,
        permit: &Permit<ManageAccounts>,
        name: &GroupName,
        username: &Username,
    ) -> Result<(), AuthError> {
        self.change_group(name, GroupChange::Remove(username.clone()), permit.actor())
            .await
    }

    /// Sets the role of a group in the permit's realm; `None` removes it.
    ///
    /// # Errors
    /// `AccountError::NoSuchGroup`.
    pub async fn set_group_role(
        self,
        permit: &Permit<ManageMembers>,
        name: &GroupName,
        role: Option<Role>,
    ) -> Result<(), AuthError> {
        self.change_group(
            name,
            GroupChange::Role(permit.realm().id.clone(), role),
            permit.actor(),
        )
        .await
    }

    async fn change_group(
        self,
        name: &GroupName,
        change: GroupChange,
        by: &crate::Actor,
    ) -> Result<(), AuthError> {
        let changed = self
            .0
            .core
            .store
            .change_group(name, change, by.clone(), self.0.core.clock.now())
            .await;
        // The event log has one event for each affected account.
        self.0.background().apply_account_events().await?;
        changed.map_err(|rejected| match rejected {
            GroupRejected::NoSuchGroup => AuthError::Account(AccountError::NoSuchGroup),
            GroupRejected::NoSuchAccount => AuthError::Account(AccountError::NoSuchAccount),
            GroupRejected::Store(unavailable) => AuthError::Store(unavailable),
        })
    }

    /// Groups with a role in the permit's realm, sorted by name.
    pub async fn groups_in(
        self,
        permit: &Permit<ReadMembers>,
    ) -> Result<Vec<(GroupName, Role)>, AuthError> {
        Ok(self.0.core.store.groups_in(&permit.realm().id).await?)
    }

    /// Active accounts with a role in the permit's realm, direct or through groups, sorted by
    /// username.
    pub async fn realm_members(
        self,
        permit: &Permit<ReadMembers>,
    ) -> Result<Vec<RealmMember>, AuthError> {
        let realm = &permit.realm().id;
        let mut members = BTreeMap::new();
        for (account, direct) in self.0.core.store.members_of(realm).await? {
            let username = account.username.clone();
            members.insert(
                username,
                RealmMember {
                    account,
                    direct: Some(direct),
                    via_groups: Vec::new(),
                },
            );
        }
        for (account, group, role) in self.0.core.store.members_via_groups(realm).await? {
            let username = account.username.clone();
            let member = RealmMember {
                account,
                direct: None,
                via_groups: Vec::new(),
            };
            members
                .entry(username)
                .or_insert(member)
                .via_groups
                .push((group, role));
        }
        Ok(members.into_values().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_name_allows_url_safe_lowercase_only() {
        for good in ["welders", "2nd-shift", "a_b"] {
            assert_eq!(GroupName::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "-a",
            "Welders",
            "a b",
            "a/b",
            "ä",
            "a.b",
            &"a".repeat(65),
        ] {
            assert_eq!(GroupName::parse(bad), Err(BadGroupName), "{bad}");
        }
    }
}
