//! `strongroom login`: the device authorization grant (RFC 8628). The user enters the code in a
//! browser on any device.

use std::{process::ExitCode, time::Duration};

use wire::{AuthorizationServer, DeviceAuthorization, TokenResponse};

use super::{
    credentials::{CredentialStore, StoredTokens},
    server::{ErrorBody, Response, Server, is_unencrypted, normalize_url},
};
use crate::output::on_one_line;

pub(super) const CLIENT_ID: &str = "strongroom-cli";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// RFC 8628 §3.5: added to the polling interval on `slow_down`, and on a connection error.
const SLOW_DOWN_STEP: Duration = Duration::from_secs(5);

pub(crate) async fn login(url: String, scope: Option<String>) -> anyhow::Result<ExitCode> {
    let url = normalize_url(&url)?;
    tokio::select! {
        done = sign_in(&url, scope) => done,
        _ = tokio::signal::ctrl_c() => {
            err!("\nNot signed in; nothing was stored.");
            Ok(ExitCode::from(130))
        }
    }
}

async fn sign_in(url: &str, scope: Option<String>) -> anyhow::Result<ExitCode> {
    if is_unencrypted(url) {
        err!("Warning: the connection to {url} is not encrypted.");
    }
    // Fail before the user enters a code if the credentials cannot be stored.
    let store = CredentialStore::open()?;
    drop(store.lock()?);
    let server = Server::at(url)?;
    check_issuer(&server).await?;
    let codes = request_codes(&server, scope.as_deref()).await?;
    out!(
        "Open this address in a browser on any device:\n\n    {}\n",
        codes.verification_uri
    );
    out!("and enter this code:\n\n    {}\n", codes.user_code);
    out!(
        "Or open {} and compare the code.",
        codes.verification_uri_complete
    );
    out!(
        "Waiting up to {} minutes for your approval. Ctrl-C cancels.",
        codes.expires_in / 60
    );
    let tokens = poll(&server, &codes).await?;
    let scope = tokens.scope.clone();
    let mut credentials = store.lock()?;
    let replaced = credentials.insert(url, StoredTokens::of(tokens));
    credentials.save()?;
    out!("Signed in to {url} with scopes: {}", on_one_line(&scope));
    out!("Credentials are stored in {}", credentials.path().display());
    drop(credentials);
    if let Some(replaced) = replaced {
        // Revoke the session that this one replaces. On failure it expires by itself.
        let _ = server
            .form(
                "/auth/revoke",
                &[("token", replaced.refresh_token.expose())],
            )
            .await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Fails unless the metadata names this server as the issuer (RFC 8414 §3.3).
async fn check_issuer(server: &Server) -> anyhow::Result<()> {
    match server
        .get_public::<AuthorizationServer>("/.well-known/oauth-authorization-server")
        .await?
    {
        Response::Success(known) if known.issuer == server.url() => Ok(()),
        Response::Success(known) => {
            let issuer = on_one_line(&known.issuer);
            anyhow::bail!(
                "{} has the public URL {issuer}: run strongroom login {issuer}",
                server.url()
            )
        }
        Response::Failure(_) => {
            anyhow::bail!("{} is not a Strongroom server", server.url())
        }
    }
}

async fn request_codes(
    server: &Server,
    scope: Option<&str>,
) -> anyhow::Result<DeviceAuthorization> {
    let mut form = vec![("client_id", CLIENT_ID)];
    form.extend(scope.map(|scope| ("scope", scope)));
    match server
        .post::<DeviceAuthorization>("/auth/device", &form)
        .await?
    {
        Response::Success(codes) => {
            let ours = |uri: &str| {
                uri.starts_with(&format!("{}/", server.url())) && !uri.contains(char::is_control)
            };
            let plain = ours(&codes.verification_uri) && ours(&codes.verification_uri_complete);
            if plain && !codes.user_code.contains(char::is_control) {
                return Ok(codes);
            }
            anyhow::bail!(
                "{} returned an invalid verification address or code",
                server.url()
            )
        }
        Response::Failure(failure) => {
            anyhow::bail!("{} answered: {}", server.url(), failure.detail)
        }
    }
}

/// Polls until the user decides or the code expires. Continues after connection errors.
async fn poll(server: &Server, codes: &DeviceAuthorization) -> anyhow::Result<TokenResponse> {
    let mut interval = Duration::from_secs(codes.interval.clamp(1, 60));
    let mut left = Duration::from_secs(codes.expires_in.min(3600)) + interval;
    let form = [
        ("grant_type", DEVICE_GRANT),
        ("device_code", &codes.device_code),
        ("client_id", CLIENT_ID),
    ];
    while let Some(rest) = left.checked_sub(interval) {
        left = rest;
        tokio::time::sleep(interval).await;
        match server.post("/auth/token", &form).await {
            Ok(Response::Success(tokens)) => return Ok(tokens),
            Ok(Response::Failure(failure)) => interval = next_interval(&failure, interval)?,
            Err(_) => interval = (interval + SLOW_DOWN_STEP).min(Duration::from_mins(1)),
        }
    }
    anyhow::bail!("the code expired before it was approved; run strongroom login again")
}

/// The interval before the next poll; an error if polling must end.
fn next_interval(failure: &ErrorBody, interval: Duration) -> anyhow::Result<Duration> {
    match failure.error.as_str() {
        "authorization_pending" => Ok(interval),
        "slow_down" => Ok(interval + SLOW_DOWN_STEP),
        "access_denied" => anyhow::bail!("access was denied in the browser"),
        "expired_token" => {
            anyhow::bail!("the code expired before it was approved; run strongroom login again")
        }
        _ if matches!(failure.status, 429 | 503) => {
            Ok(failure.retry_after.unwrap_or(interval).max(interval))
        }
        _ => anyhow::bail!("the server answered: {}", failure.detail),
    }
}
