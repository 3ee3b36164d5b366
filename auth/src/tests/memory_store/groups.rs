//! Groups, in a map.

use jiff::Timestamp;

use super::{MemoryStore, Tables};
use crate::{
    Account, Actor, Group, GroupName, RealmId, Role, Username,
    store::{GroupChange, GroupRejected, GroupStore, InsertResult, Membership, StoreResult},
};

impl Tables {
    pub(crate) fn memberships(&self, username: &Username) -> Vec<Membership> {
        let of = |group: &&Group| group.members.contains(username);
        let membership = |group: &Group| Membership {
            group: group.name.clone(),
            roles: group.roles.clone(),
        };
        self.groups.values().filter(of).map(membership).collect()
    }

    fn change_group(&mut self, name: &GroupName, change: GroupChange) -> Result<(), GroupRejected> {
        let Some(mut group) = self.groups.remove(name) else {
            return Err(GroupRejected::NoSuchGroup);
        };
        let mut concerned = group.members.clone();
        let known = |username: &Username| self.accounts.contains_key(username);
        let done = match change {
            GroupChange::Add(username) | GroupChange::Remove(username) if !known(&username) => {
                Err(GroupRejected::NoSuchAccount)
            }
            GroupChange::Add(username) => {
                group.members.retain(|member| *member != username);
                group.members.push(username.clone());
                concerned = vec![username];
                Ok(())
            }
            GroupChange::Remove(username) => {
                group.members.retain(|member| *member != username);
                concerned = vec![username];
                Ok(())
            }
            GroupChange::Role(realm, role) => {
                group.roles.retain(|(of, _)| *of != realm);
                group.roles.extend(role.map(|role| (realm, role)));
                Ok(())
            }
            GroupChange::Delete => {
                self.events.extend(concerned);
                return Ok(());
            }
        };
        self.groups.insert(name.clone(), group);
        self.events.extend(concerned);
        done
    }
}

impl GroupStore for MemoryStore {
    async fn groups(&self) -> StoreResult<Vec<Group>> {
        Ok(self.query()?.groups.values().cloned().collect())
    }

    async fn group(&self, name: &GroupName) -> StoreResult<Option<Group>> {
        Ok(self.query()?.groups.get(name).cloned())
    }

    async fn create_group(
        &self,
        name: &GroupName,
        _: Actor,
        at: Timestamp,
    ) -> StoreResult<InsertResult> {
        let mut tables = self.query()?;
        if tables.groups.contains_key(name) {
            return Ok(InsertResult::Duplicate);
        }
        let group = Group {
            name: name.clone(),
            members: Vec::new(),
            roles: Vec::new(),
            created_at: at,
        };
        tables.groups.insert(name.clone(), group);
        Ok(InsertResult::Inserted)
    }

    async fn change_group(
        &self,
        name: &GroupName,
        change: GroupChange,
        _: Actor,
        _: Timestamp,
    ) -> Result<(), GroupRejected> {
        self.query()?.change_group(name, change)
    }

    async fn groups_in(&self, realm: &RealmId) -> StoreResult<Vec<(GroupName, Role)>> {
        let tables = self.query()?;
        let roles = tables
            .groups
            .values()
            .flat_map(|group| group.roles.iter().map(|role| (group.name.clone(), role)));
        Ok(roles
            .filter(|(_, (of, _))| of == realm)
            .map(|(name, (_, role))| (name, *role))
            .collect())
    }

    async fn members_via_groups(
        &self,
        realm: &RealmId,
    ) -> StoreResult<Vec<(Account, GroupName, Role)>> {
        let tables = self.query()?;
        let mut found = Vec::new();
        for group in tables.groups.values() {
            for (_, role) in group.roles.iter().filter(|(of, _)| of == realm) {
                let accounts = group
                    .members
                    .iter()
                    .filter_map(|member| tables.accounts.get(member));
                found.extend(
                    accounts.map(|(known, _)| (known.account.clone(), group.name.clone(), *role)),
                );
            }
        }
        Ok(found)
    }
}
