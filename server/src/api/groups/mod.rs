//! Groups of accounts, for administrators.

pub mod add_member;
pub mod create;
pub mod delete;
pub mod list;
pub mod remove_member;
pub mod show;

use auth::Group;
use vault::VaultStore;
use wire::GroupInfo;

use crate::{error::Problem, state::Store};

/// The wire form, with vault names instead of ids.
pub(crate) async fn wire_groups(
    store: &Store,
    groups: Vec<Group>,
) -> Result<Vec<GroupInfo>, Problem> {
    let vaults = store.vaults().await.map_err(vault::VaultError::Store)?;
    let vault_name = |id: &auth::RealmId| {
        vaults
            .iter()
            .find(|vault| vault.id == *id)
            .map(|vault| vault.name.to_string())
    };
    let info = |group: Group| GroupInfo {
        name: group.name.to_string(),
        members: group.members.iter().map(ToString::to_string).collect(),
        roles: group
            .roles
            .iter()
            .filter_map(|(id, role)| Some((vault_name(id)?, role.as_str().to_owned())))
            .collect(),
        created_at: group.created_at,
    };
    Ok(groups.into_iter().map(info).collect())
}

async fn wire_group(store: &Store, group: Group) -> Result<GroupInfo, Problem> {
    let mut infos = wire_groups(store, vec![group]).await?;
    infos
        .pop()
        .ok_or_else(|| Problem::Internal("the group has no wire form".to_owned()))
}
