//! Notices of broken locks: on every page of their former holder, and on a page of their own.

use askama::Template;
use auth::{Caller, Realm, RealmId, Role};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;

use super::{send, shell};
use crate::{
    error::Problem,
    extract::Form,
    state::AppState,
    web::{OverrideNotice, Shell, local_path},
};

/// `GET /notices`. Scripts take the notices from it when a stream announces a new one.
#[derive(Debug, Template)]
#[template(path = "notices.html")]
pub(crate) struct NoticesPage {
    pub shell: Shell,
}

/// The notices in vaults that the caller can still read, newest first.
pub(super) async fn of_caller(
    store: &crate::state::Store,
    caller: &Caller,
    vaults: &[(Realm, Role)],
) -> Result<Vec<OverrideNotice>, Problem> {
    let open = store
        .override_notices(&caller.account().username)
        .await
        .map_err(auth::AuthError::Store)?;
    let shown = open.into_iter().filter_map(|notice| {
        let (vault, _) = vaults.iter().find(|(vault, _)| vault.id == notice.vault)?;
        Some(OverrideNotice {
            vault: vault.name.to_string(),
            event: notice.event,
            filename: notice.name.to_string(),
            by: notice.by.to_string(),
            reason: notice.reason.to_string(),
            at: notice.at,
        })
    });
    Ok(shown.collect())
}

pub(crate) async fn page(
    caller: Caller,
    State(state): State<AppState>,
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &state.store, &caller, None).await?;
    send(StatusCode::OK, &NoticesPage { shell })
}

/// `POST /notices/dismiss`, with `vault`, `event` and `next`.
pub(crate) async fn dismiss(
    caller: Caller,
    State(state): State<AppState>,
    mut form: Form,
) -> Result<Response, Problem> {
    let next = form.take("next");
    let vault = vault_of(&state, &caller, form.take("vault").as_deref()).await?;
    let event = form.take("event").and_then(|event| event.parse().ok());
    let event = event.ok_or_else(|| Problem::invalid("/event", "The value must be a number."))?;
    let username = &caller.account().username;
    state
        .store
        .dismiss_override_notice(username, &vault, event, state.auth.now())
        .await
        .map_err(auth::AuthError::Store)?;
    Ok(Redirect::to(local_path(next.as_deref())).into_response())
}

/// The vault of that name, if the caller can see it.
async fn vault_of(
    state: &AppState,
    caller: &Caller,
    name: Option<&str>,
) -> Result<RealmId, Problem> {
    let vaults = state.auth.sessions().realms_of(caller).await?;
    let found = vaults
        .into_iter()
        .find(|(vault, _)| Some(vault.name.as_str()) == name);
    found
        .map(|(vault, _)| vault.id)
        .ok_or_else(|| Problem::invalid("/vault", "There is no such vault."))
}
