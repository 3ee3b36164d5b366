//! Accounts, for administrators.

pub mod change;
pub mod delete;
pub mod end_all_sessions;
pub mod end_sessions;
pub mod list;
pub mod reset_factors;
pub mod reset_link;
pub mod show;

use auth::store::Member;
use vault::VaultStore;

use crate::{error::Problem, state::Store};

/// The wire form, with vault names instead of ids.
pub(crate) async fn wire_user(store: &Store, member: Member) -> Result<wire::User, Problem> {
    let mut users = wire_users(store, vec![member]).await?;
    users
        .pop()
        .ok_or_else(|| Problem::Internal("the account has no wire form".to_owned()))
}

pub(crate) async fn wire_users(
    store: &Store,
    members: Vec<Member>,
) -> Result<Vec<wire::User>, Problem> {
    let vaults = store.vaults().await.map_err(vault::VaultError::Store)?;
    let vault_name = |id: &auth::RealmId| {
        vaults
            .iter()
            .find(|vault| vault.id == *id)
            .map(|vault| vault.name.to_string())
    };
    let role_names = |roles: &mut dyn Iterator<Item = (&auth::RealmId, &auth::Role)>| {
        roles
            .filter_map(|(vault, role)| Some((vault_name(vault)?, role.as_str().to_owned())))
            .collect()
    };
    let user = |member: Member| {
        let effective_roles = role_names(&mut member.rights().iter());
        let Member {
            account,
            roles,
            groups,
            factors,
            last_seen,
            last_sign_in,
        } = member;
        wire::User {
            username: account.username.to_string(),
            display_name: account.display_name.map(|name| name.as_str().to_owned()),
            email: account.email.map(|email| email.as_str().to_owned()),
            email_verified: account.email_verified,
            is_admin: account.administrator,
            reset_required: account.must_change_password,
            disabled: account.status != auth::AccountStatus::Active,
            created_at: account.created_at,
            last_seen_at: last_seen,
            last_sign_in_at: last_sign_in,
            mfa: factors.is_enrolled(),
            second_factors: factors
                .iter()
                .map(|kind| kind.as_str().to_owned())
                .collect(),
            roles: role_names(&mut roles.iter().map(|(vault, role)| (vault, role))),
            groups: groups
                .iter()
                .map(|membership| membership.group.to_string())
                .collect(),
            effective_roles,
        }
    };
    Ok(members.into_iter().map(user).collect())
}
