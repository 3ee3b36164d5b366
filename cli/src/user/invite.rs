//! `strongroom user invite`: prints a link that creates an account, once.

use auth::{
    EmailAddress, Realm, RealmName, Role,
    accounts::invitation::{Delivery, NewInvitation},
};
use secrecy::ExposeSecret as _;
use server::{Config, state::Auth};

use crate::console::operator_permit;

/// `roles` are `VAULT=ROLE`.
pub(super) async fn invite(
    auth: &Auth,
    config: &Config,
    roles: &[String],
    email: Option<&str>,
) -> anyhow::Result<()> {
    let mut grants = Vec::new();
    for role in roles {
        grants.push(parse_role(auth, role).await?);
    }
    let email = email.map(EmailAddress::parse).transpose()?;
    let invitation = NewInvitation {
        administrator: false,
        roles: grants,
        groups: Vec::new(),
        email,
        delivery: Delivery::Link,
    };
    let made = auth
        .invitations()
        .invite_as_operator(&operator_permit(), invitation)
        .await?;
    let link = made
        .link
        .ok_or_else(|| anyhow::anyhow!("the invitation has no link"))?;
    out!(
        "Give this link to the new user. It creates an account, once, until {}:",
        made.invitation.expires_at.strftime("%F %H:%M UTC")
    );
    out!("  {}", link.expose_secret());
    super::warn_if_url_is_guessed(config);
    Ok(())
}

async fn parse_role(auth: &Auth, raw: &str) -> anyhow::Result<(Realm, Role)> {
    let (vault, role) = raw
        .split_once('=')
        .ok_or_else(|| anyhow::anyhow!("write a role as VAULT=ROLE, such as main=editor"))?;
    let role =
        Role::parse(role).ok_or_else(|| anyhow::anyhow!("a role is viewer, editor or manager"))?;
    let realm = match RealmName::parse(vault) {
        Ok(name) => auth.sessions().realm(&name).await?,
        Err(_) => None,
    };
    Ok((
        realm.ok_or_else(|| anyhow::anyhow!("there is no vault {vault}"))?,
        role,
    ))
}
