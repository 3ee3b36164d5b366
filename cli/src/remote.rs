//! Client commands against a server: login, logout, whoami.

mod credentials;
mod login;
mod server;

use std::process::ExitCode;

use anyhow::Context;
use wire::Me;

pub(crate) use login::login;

use credentials::CredentialStore;
use server::{Response, Server};

use crate::output::on_one_line;

/// `strongroom logout`: removes the credentials, then revokes the session on the server. They stay
/// removed if the server fails.
pub(crate) async fn logout(url: Option<String>) -> anyhow::Result<ExitCode> {
    let store = CredentialStore::open()?;
    let mut credentials = store.lock()?;
    let url = resolve_server(url, &credentials)?;
    let Some(tokens) = credentials.remove(&url) else {
        anyhow::bail!("not signed in to {url}")
    };
    credentials.save()?;
    let server = Server::at(&url)?;
    let revoked = server
        .form("/auth/revoke", &[("token", tokens.refresh_token.expose())])
        .await;
    if let Err(error) = revoked {
        err!("strongroom: {error:#}");
        err!(
            "Signed out here, but the session is still active on the server: end it at {url}/account"
        );
        return Ok(ExitCode::FAILURE);
    }
    out!("Signed out of {url}.");
    Ok(ExitCode::SUCCESS)
}

/// `strongroom whoami`
pub(crate) async fn whoami(url: Option<String>) -> anyhow::Result<ExitCode> {
    let store = CredentialStore::open()?;
    let url = resolve_server(url, &store.lock()?)?;
    let me: Me = get(&store, &url, "/auth/me").await?;
    let name = me
        .display_name
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    out!(
        "{} at {url}",
        on_one_line(&format!("{}{name}", me.username))
    );
    out!("scopes: {}", on_one_line(&me.scopes.join(" ")));
    Ok(ExitCode::SUCCESS)
}

/// The named server, or the one of the last login.
fn resolve_server(
    url: Option<String>,
    credentials: &credentials::LockedCredentials,
) -> anyhow::Result<String> {
    match url {
        Some(url) => server::normalize_url(&url),
        None => credentials
            .current()
            .context("not signed in to any server: run strongroom login SERVER"),
    }
}

/// Sends an authenticated GET request. A token may end before it expires
/// (`strongroom key rotate --end-tokens`), so a 401 is retried once with another token.
async fn get<T: serde::de::DeserializeOwned>(
    store: &CredentialStore,
    url: &str,
    path: &str,
) -> anyhow::Result<T> {
    let server = Server::at(url)?;
    let token = store.access_token(&server).await?;
    let answer = match server.get(path, &token).await? {
        Response::Failure(failure) if failure.status == 401 => {
            let token = store.access_token_other_than(&token, &server).await?;
            server.get(path, &token).await?
        }
        answer => answer,
    };
    match answer {
        Response::Success(body) => Ok(body),
        Response::Failure(failure) if failure.status == 401 => Err(signed_out(url)),
        Response::Failure(failure) => anyhow::bail!("{url} answered: {}", failure.detail),
    }
}

fn signed_out(url: &str) -> anyhow::Error {
    anyhow::anyhow!("your session on {url} has ended: run strongroom login {url}")
}
