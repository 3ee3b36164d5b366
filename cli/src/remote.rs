//! A person's commands against a server: signing in, out, and whatever is done signed in.

mod kept;
mod login;
mod server;

use std::process::ExitCode;

use anyhow::Context;
use wire::Me;

pub(crate) use login::login;

use kept::Keeper;
use server::{Answer, Server};

use crate::say::on_one_line;

/// `strongroom logout`: ends the session on the server, and forgets it here whatever the server says.
pub(crate) async fn logout(url: Option<String>) -> anyhow::Result<ExitCode> {
    let keeper = Keeper::open()?;
    let mut kept = keeper.lock()?;
    let url = chosen(url, &kept)?;
    let Some(held) = kept.remove(&url) else {
        anyhow::bail!("you are not signed in to {url}")
    };
    kept.save()?;
    let server = Server::at(&url)?;
    let told = server
        .form("/auth/revoke", &[("token", held.refresh_token.expose())])
        .await;
    if let Err(error) = told {
        complain!("strongroom: {error:#}");
        complain!(
            "Your sign-in is forgotten here, but lives on the server: end it on {url}/account"
        );
        return Ok(ExitCode::FAILURE);
    }
    say!("Signed out of {url}.");
    Ok(ExitCode::SUCCESS)
}

/// `strongroom whoami`
pub(crate) async fn whoami(url: Option<String>) -> anyhow::Result<ExitCode> {
    let keeper = Keeper::open()?;
    let url = chosen(url, &keeper.lock()?)?;
    let me: Me = get(&keeper, &url, "/auth/me").await?;
    let name = me
        .display_name
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    say!(
        "{} at {url}",
        on_one_line(&format!("{}{name}", me.username))
    );
    say!("may: {}", on_one_line(&me.scopes.join(" ")));
    Ok(ExitCode::SUCCESS)
}

/// The server that was named, or the last one that somebody signed in to.
fn chosen(url: Option<String>, kept: &kept::Kept) -> anyhow::Result<String> {
    match url {
        Some(url) => server::tidy(&url),
        None => kept
            .current()
            .context("you are not signed in anywhere: strongroom login URL"),
    }
}

/// Asks the server, signed in. A token may die before its time (`strongroom key rotate --end-tokens`): where one is refused
/// that was thought to live, another one is tried, once.
async fn get<T: serde::de::DeserializeOwned>(
    keeper: &Keeper,
    url: &str,
    path: &str,
) -> anyhow::Result<T> {
    let server = Server::at(url)?;
    let token = keeper.access_token(&server).await?;
    let answer = match server.get(path, &token).await? {
        Answer::Refused(refused) if refused.status == 401 => {
            let token = keeper.access_token_other_than(&token, &server).await?;
            server.get(path, &token).await?
        }
        answer => answer,
    };
    match answer {
        Answer::Good(body) => Ok(body),
        Answer::Refused(refused) if refused.status == 401 => Err(signed_out(url)),
        Answer::Refused(refused) => anyhow::bail!("{url} says: {}", refused.detail),
    }
}

fn signed_out(url: &str) -> anyhow::Error {
    anyhow::anyhow!("your sign-in to {url} has ended: strongroom login {url}")
}
