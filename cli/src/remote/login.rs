//! `strongroom login`: the device flow (RFC 8628). The code is typed wherever there is a browser.

use std::{process::ExitCode, time::Duration};

use wire::{AuthorizationServer, DeviceAuthorization, TokenResponse};

use super::{
    kept::{Held, Keeper},
    server::{Answer, Refused, Server, is_in_the_clear, tidy},
};
use crate::say::on_one_line;

pub(super) const CLIENT: &str = "strongroom-cli";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// RFC 8628 §3.5: what `slow_down` adds, and how long to wait where the server cannot be reached.
const SLOWER: Duration = Duration::from_secs(5);

pub(crate) async fn login(url: String, scope: Option<String>) -> anyhow::Result<ExitCode> {
    let url = tidy(&url)?;
    tokio::select! {
        done = sign_in(&url, scope) => done,
        _ = tokio::signal::ctrl_c() => {
            complain!("\nNot signed in; nothing was kept.");
            Ok(ExitCode::from(130))
        }
    }
}

async fn sign_in(url: &str, scope: Option<String>) -> anyhow::Result<ExitCode> {
    if is_in_the_clear(url) {
        complain!("Careful: what travels to {url} can be read by others on the way.");
    }
    // Before anybody types a code: whether the tokens can be kept at all.
    let keeper = Keeper::open()?;
    drop(keeper.lock()?);
    let server = Server::at(url)?;
    check(&server).await?;
    let codes = begin(&server, scope.as_deref()).await?;
    say!(
        "Open this address in a browser, on any machine:\n\n    {}\n",
        codes.verification_uri
    );
    say!("and type this code:\n\n    {}\n", codes.user_code);
    say!(
        "Or open {} and compare the code.",
        codes.verification_uri_complete
    );
    say!(
        "Waiting for you there, for {} minutes. Ctrl-C gives up.",
        codes.expires_in / 60
    );
    let tokens = wait(&server, &codes).await?;
    let scope = tokens.scope.clone();
    let mut kept = keeper.lock()?;
    let before = kept.put(url, Held::of(tokens));
    kept.save()?;
    say!("Signed in to {url}; it may: {}", on_one_line(&scope));
    say!("Kept in {}", kept.path().display());
    drop(kept);
    if let Some(before) = before {
        // The sign-in that this one replaces. Where that does not work it ends by itself.
        let _ = server
            .form("/auth/revoke", &[("token", before.refresh_token.expose())])
            .await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether this is a Strongroom, and calls itself so (RFC 8414 §3.3): tokens are for the one that people see.
async fn check(server: &Server) -> anyhow::Result<()> {
    match server
        .look::<AuthorizationServer>("/.well-known/oauth-authorization-server")
        .await?
    {
        Answer::Good(known) if known.issuer == server.url() => Ok(()),
        Answer::Good(known) => {
            let issuer = on_one_line(&known.issuer);
            anyhow::bail!(
                "{} calls itself {issuer}: strongroom login {issuer}",
                server.url()
            )
        }
        Answer::Refused(_) => {
            anyhow::bail!("{} answers, but not as a Strongroom does", server.url())
        }
    }
}

async fn begin(server: &Server, scope: Option<&str>) -> anyhow::Result<DeviceAuthorization> {
    let mut form = vec![("client_id", CLIENT)];
    form.extend(scope.map(|scope| ("scope", scope)));
    match server
        .post::<DeviceAuthorization>("/auth/device", &form)
        .await?
    {
        Answer::Good(codes) => {
            let ours = |uri: &str| {
                uri.starts_with(&format!("{}/", server.url())) && !uri.contains(char::is_control)
            };
            let plain = ours(&codes.verification_uri) && ours(&codes.verification_uri_complete);
            if plain && !codes.user_code.contains(char::is_control) {
                return Ok(codes);
            }
            anyhow::bail!("{} sends you elsewhere to type the code", server.url())
        }
        Answer::Refused(refused) => anyhow::bail!("{} says: {}", server.url(), refused.detail),
    }
}

/// Until somebody has decided, or the code has died. A server that is away for a while is asked again.
async fn wait(server: &Server, codes: &DeviceAuthorization) -> anyhow::Result<TokenResponse> {
    let mut interval = Duration::from_secs(codes.interval.clamp(1, 60));
    let mut left = Duration::from_secs(codes.expires_in.min(3600)) + interval;
    let form = [
        ("grant_type", GRANT),
        ("device_code", &codes.device_code),
        ("client_id", CLIENT),
    ];
    while let Some(rest) = left.checked_sub(interval) {
        left = rest;
        tokio::time::sleep(interval).await;
        match server.post("/auth/token", &form).await {
            Ok(Answer::Good(tokens)) => return Ok(tokens),
            Ok(Answer::Refused(refused)) => interval = go_on(&refused, interval)?,
            Err(_) => interval = (interval + SLOWER).min(Duration::from_mins(1)),
        }
    }
    anyhow::bail!("nobody typed the code in time")
}

/// How long to wait until the next question, if there is to be one.
fn go_on(refused: &Refused, interval: Duration) -> anyhow::Result<Duration> {
    match refused.error.as_str() {
        "authorization_pending" => Ok(interval),
        "slow_down" => Ok(interval + SLOWER),
        "access_denied" => anyhow::bail!("access was refused"),
        "expired_token" => anyhow::bail!("nobody typed the code in time"),
        _ if matches!(refused.status, 429 | 503) => {
            Ok(refused.retry_after.unwrap_or(interval).max(interval))
        }
        _ => anyhow::bail!("the server says: {}", refused.detail),
    }
}
