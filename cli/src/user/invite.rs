//! `strongroom user invite`: a link that makes an account, once.

use auth::{EmailAddress, Realm, RealmName, Role, inviting::Delivery, inviting::NewInvitation};
use secrecy::ExposeSecret as _;
use server::{Config, state::Auth};

use crate::console::operator;

/// Its roles as `VAULT=ROLE`.
pub(super) async fn invite(
    (auth, config): (&Auth, &Config),
    roles: &[String],
    email: Option<&str>,
) -> anyhow::Result<()> {
    let mut given = Vec::new();
    for role in roles {
        given.push(promised(auth, role).await?);
    }
    let email = email.map(EmailAddress::parse).transpose()?;
    let invitation = NewInvitation {
        administrator: false,
        roles: given,
        email,
        delivery: Delivery::Link,
    };
    let made = auth.invite_by_operator(&operator(), invitation).await?;
    let link = made
        .link
        .ok_or_else(|| anyhow::anyhow!("there is no link"))?;
    say!(
        "Hand this link over. It makes an account, once, until {}:",
        made.invite.expires_at.strftime("%F %H:%M UTC")
    );
    say!("  {}", link.expose_secret());
    super::warn_of_a_guess(config);
    Ok(())
}

async fn promised(auth: &Auth, raw: &str) -> anyhow::Result<(Realm, Role)> {
    let (vault, role) = raw
        .split_once('=')
        .ok_or_else(|| anyhow::anyhow!("a role is written VAULT=ROLE: main=editor"))?;
    let role =
        Role::parse(role).ok_or_else(|| anyhow::anyhow!("a role is viewer, editor or manager"))?;
    let realm = match RealmName::parse(vault) {
        Ok(name) => auth.realm(&name).await?,
        Err(_) => None,
    };
    Ok((
        realm.ok_or_else(|| anyhow::anyhow!("there is no vault {vault}"))?,
        role,
    ))
}
