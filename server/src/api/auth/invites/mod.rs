//! Invitations: create, list, preview, withdraw.

pub mod create;
pub mod list;
pub mod preview;
pub mod withdraw;

use auth::{Delivery, Invitation};
use vault::VaultStore;
use wire::InviteInfo;

use crate::{error::Problem, state::Store};

/// The wire form, with vault names instead of ids.
pub(crate) async fn wire_invites(
    store: &Store,
    invites: Vec<Invitation>,
) -> Result<Vec<InviteInfo>, Problem> {
    let vaults = store.vaults().await.map_err(vault::VaultError::Store)?;
    let vault_name = |id: &auth::RealmId| {
        vaults
            .iter()
            .find(|vault| vault.id == *id)
            .map(|vault| vault.name.to_string())
    };
    let info = |invite: Invitation| InviteInfo {
        invited_by: invite.by.username().to_string(),
        is_admin: invite.administrator,
        roles: invite
            .roles
            .iter()
            .filter_map(|(id, role)| Some((vault_name(id)?, role.as_str().to_owned())))
            .collect(),
        groups: invite.groups.iter().map(ToString::to_string).collect(),
        email: invite.email.map(|email| email.as_str().to_owned()),
        delivery: match invite.delivery {
            Delivery::Link => "link",
            Delivery::Mail => "mail",
        }
        .to_owned(),
        created_at: invite.created_at,
        expires_at: invite.expires_at,
        id: invite.id,
    };
    Ok(invites.into_iter().map(info).collect())
}

async fn wire_invite(store: &Store, invite: Invitation) -> Result<InviteInfo, Problem> {
    let mut infos = wire_invites(store, vec![invite]).await?;
    infos
        .pop()
        .ok_or_else(|| Problem::Internal("the invitation has no wire form".to_owned()))
}
