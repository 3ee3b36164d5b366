//! `POST /auth/invites`

use std::sync::Arc;

use auth::{Delivery, EmailAddress, NewInvitation, Realm, RealmName, RecentlyAuthenticated, Role};
use axum::{Json, extract::State};
use http::{StatusCode, header};
use secrecy::ExposeSecret as _;
use wire::{MadeInvite, NewInvite, ProblemBody};

use crate::{
    api::auth::register::optional,
    error::Problem,
    extract::Body,
    state::{Auth, Site, Store},
};

/// Invite somebody: good once, for 72 hours. Managers of vaults invite into those, administrators to anything.
#[utoipa::path(post, path = "/auth/invites", tag = "Accounts", request_body = NewInvite, responses(
    (status = 201, description = "The invitation, with its link this once.", body = MadeInvite),
    (status = 404, description = "None of one's vaults.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "Too many are open.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
    (status = 415, description = "Not JSON.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    State(store): State<Store>,
    State(site): State<Arc<Site>>,
    Body(body): Body<NewInvite>,
) -> Result<
    (
        StatusCode,
        [(header::HeaderName, &'static str); 1],
        Json<MadeInvite>,
    ),
    Problem,
> {
    let invited = auth
        .invite(&caller, invitation(&auth, &site, body).await?)
        .await?;
    let link = invited.link.map(|link| link.expose_secret().to_owned());
    let made = MadeInvite {
        invite: super::info(&store, invited.invitation).await?,
        link,
    };
    Ok((
        StatusCode::CREATED,
        [(header::CACHE_CONTROL, "no-store")],
        Json(made),
    ))
}

async fn invitation(auth: &Auth, site: &Site, body: NewInvite) -> Result<NewInvitation, Problem> {
    let email = optional(body.email, "/email", EmailAddress::parse)?;
    let delivery = match body.delivery.as_deref() {
        None | Some("link") => Delivery::Link,
        Some("mail") if site.config.mail.is_none() => {
            return Err(Problem::invalid(
                "/delivery",
                "No mail leaves this installation: hand the link over yourself.",
            ));
        }
        Some("mail") if email.is_some() => Delivery::Mail,
        Some("mail") => return Err(Problem::invalid("/email", "Say where the mail goes.")),
        Some(_) => {
            return Err(Problem::invalid(
                "/delivery",
                "An invitation goes by link or by mail.",
            ));
        }
    };
    let mut roles = Vec::new();
    // All words before any name: what is wrong with a word does not tell which names there are.
    let words = body
        .roles
        .iter()
        .map(|(vault, role)| role_of(vault, role).map(|role| (vault, role)));
    for (vault, role) in words.collect::<Result<Vec<_>, _>>()? {
        roles.push((known(auth, vault).await?, role));
    }
    Ok(NewInvitation {
        administrator: body.is_admin,
        roles,
        email,
        delivery,
    })
}

/// A name that cannot be one is nobody's.
async fn known(auth: &Auth, vault: &str) -> Result<Realm, Problem> {
    let name = RealmName::parse(vault).map_err(|_| auth::AuthError::RealmNotFound)?;
    Ok(auth
        .realm(&name)
        .await?
        .ok_or(auth::AuthError::RealmNotFound)?)
}

fn role_of(vault: &str, role: &str) -> Result<Role, Problem> {
    let pointer = || format!("/roles/{vault}");
    Role::parse(role)
        .ok_or_else(|| Problem::invalid(pointer(), "A role is viewer, editor or manager."))
}
