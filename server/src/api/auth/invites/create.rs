//! `POST /auth/invites`

use std::sync::Arc;

use auth::{
    Delivery, EmailAddress, GroupName, NewInvitation, Realm, RealmName, RecentlyAuthenticated, Role,
};
use axum::{Json, extract::State};
use http::{StatusCode, header};
use secrecy::ExposeSecret as _;
use wire::{CreatedInvite, NewInvite};

use crate::{
    api::auth::register::parse_optional,
    error::Problem,
    extract::JsonBody,
    state::{Auth, SiteInfo, Store},
};

/// Create an invitation.
///
/// It works once, within 72 hours. A manager can invite to their own vaults, an administrator to
/// every vault and role.
#[utoipa::path(post, path = "/auth/invites", tag = "Accounts", request_body = NewInvite, responses(
    (status = 201, description = "The invitation with its link. The link is not shown again.", body = CreatedInvite),
))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    State(store): State<Store>,
    State(site): State<Arc<SiteInfo>>,
    JsonBody(body): JsonBody<NewInvite>,
) -> Result<
    (
        StatusCode,
        [(header::HeaderName, &'static str); 1],
        Json<CreatedInvite>,
    ),
    Problem,
> {
    let created = auth
        .invitations()
        .invite(&caller, invitation(&auth, &site, body).await?)
        .await?;
    let link = created.link.map(|link| link.expose_secret().to_owned());
    let response = CreatedInvite {
        invite: super::wire_invite(&store, created.invitation).await?,
        link,
    };
    Ok((
        StatusCode::CREATED,
        [(header::CACHE_CONTROL, "no-store")],
        Json(response),
    ))
}

async fn invitation(
    auth: &Auth,
    site: &SiteInfo,
    body: NewInvite,
) -> Result<NewInvitation, Problem> {
    let email = parse_optional(body.email, "/email", EmailAddress::parse)?;
    let delivery = match body.delivery.as_deref() {
        None | Some("link") => Delivery::Link,
        Some("mail") if site.config.mail.is_none() => {
            return Err(Problem::invalid(
                "/delivery",
                "This server sends no mail. Use the delivery link.",
            ));
        }
        Some("mail") if email.is_some() => Delivery::Mail,
        Some("mail") => {
            return Err(Problem::invalid(
                "/email",
                "Delivery by mail needs an e-mail address.",
            ));
        }
        Some(_) => {
            return Err(Problem::invalid(
                "/delivery",
                "The delivery is link or mail.",
            ));
        }
    };
    let mut roles = Vec::new();
    // All roles are parsed before any vault is looked up, so that a role error reveals no vault
    // name.
    let roles_by_vault = body
        .roles
        .iter()
        .map(|(vault, role)| parse_role(vault, role).map(|role| (vault, role)));
    for (vault, role) in roles_by_vault.collect::<Result<Vec<_>, _>>()? {
        roles.push((find_realm(auth, vault).await?, role));
    }
    let groups = body
        .groups
        .iter()
        .map(|name| GroupName::parse(name))
        .collect::<Result<_, _>>()
        .map_err(|error| Problem::invalid("/groups", error))?;
    Ok(NewInvitation {
        administrator: body.is_admin,
        roles,
        groups,
        email,
        delivery,
    })
}

/// A malformed name is reported as not found.
async fn find_realm(auth: &Auth, vault: &str) -> Result<Realm, Problem> {
    let name = RealmName::parse(vault)
        .map_err(|_| auth::AuthError::Access(auth::error::AccessError::RealmNotFound))?;
    Ok(auth
        .sessions()
        .realm(&name)
        .await?
        .ok_or(auth::AuthError::Access(
            auth::error::AccessError::RealmNotFound,
        ))?)
}

fn parse_role(vault: &str, role: &str) -> Result<Role, Problem> {
    let pointer = || format!("/roles/{vault}");
    Role::parse(role)
        .ok_or_else(|| Problem::invalid(pointer(), "The role must be viewer, editor or manager."))
}
