//! `POST /auth/tokens`

use std::time::Duration;

use auth::{NewPersonalToken, PersonalTokenError, RealmName, RecentlyAuthenticated, Scopes};
use axum::{Json, extract::State};
use http::StatusCode;
use wire::CreatedPersonalToken;

use super::list::{own_vaults, wire_token};
use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Issue a personal access token.
///
/// It is for `Authorization: Bearer`, or for `Basic` with the username. It never has more rights
/// than its owner. It cannot issue tokens or change the account.
#[utoipa::path(post, path = "/auth/tokens", tag = "Accounts", request_body = wire::NewPersonalToken, responses(
    (status = 201, description = "The token. The secret `token` is not shown again.", body = CreatedPersonalToken),
))]
pub async fn handle(
    RecentlyAuthenticated(caller): RecentlyAuthenticated,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<wire::NewPersonalToken>,
) -> Result<(StatusCode, Json<CreatedPersonalToken>), Problem> {
    let (session, secret) = auth
        .personal_tokens()
        .create_personal_token(&caller, parse_new_token(body)?, origin)
        .await
        .map_err(to_problem)?;
    let info = wire_token(session, &own_vaults(&auth, &caller).await?);
    Ok((
        StatusCode::CREATED,
        Json(CreatedPersonalToken {
            token: secret.expose().to_owned(),
            info,
        }),
    ))
}

fn parse_new_token(body: wire::NewPersonalToken) -> Result<NewPersonalToken, Problem> {
    let scopes = Scopes::parse(&body.scopes.join(" "))
        .map_err(|error| Problem::invalid("/scopes", error))?;
    let vault =
        |name: String| RealmName::parse(&name).map_err(|error| Problem::invalid("/vaults", error));
    Ok(NewPersonalToken {
        label: body.name,
        scopes,
        realms: body
            .vaults
            .map(|names| names.into_iter().map(vault).collect())
            .transpose()?,
        lifetime: body
            .expires_in_days
            .map(|days| Duration::from_hours(24 * u64::from(days))),
    })
}

/// The error with a pointer to the rejected member.
fn to_problem(error: auth::AuthError) -> Problem {
    let auth::AuthError::Token(auth::error::TokenError::PersonalToken(reason)) = error else {
        return error.into();
    };
    let pointer = match reason {
        PersonalTokenError::InvalidLabel => "/name",
        PersonalTokenError::NoScope | PersonalTokenError::ScopeNotAllowed(_) => "/scopes",
        PersonalTokenError::NoRealm | PersonalTokenError::UnknownRealm(_) => "/vaults",
        PersonalTokenError::InvalidLifetime(_) => "/expires_in_days",
        PersonalTokenError::TooMany { .. } => "",
    };
    Problem::invalid(pointer, reason)
}
