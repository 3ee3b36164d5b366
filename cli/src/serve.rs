//! `strongroom serve`: starts the server and stops it in order.

use std::{path::Path, process::ExitCode};

use auth::Clock;
use server::{Config, RunningServer, config::RegistrationMode, telemetry};
use tokio::signal::unix::{SignalKind, signal};

use crate::{hangup, open_files};

pub(crate) async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::init_logging(&config)?;
    open_files::raise_limit();
    let (data, registration) = (config.data.clone(), config.registration);
    let mut running = server::start(config, Clock::system()).await?;
    // Install the handlers before the greeting: a supervisor may send SIGTERM right after it.
    let mut terminate = signal(SignalKind::terminate())?;
    let hangup = hangup::received()?;
    open_files::log_limit();
    print_greeting(&running, &data, registration);
    tokio::select! {
        finished = running.wait() => finished?,
        _ = tokio::signal::ctrl_c() => stop(running).await?,
        _ = terminate.recv() => stop(running).await?,
        () = hangup => stop(running).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_greeting(running: &RunningServer, data: &Path, registration: RegistrationMode) {
    let url = &running.public_url;
    out!(
        "Strongroom runs at {url} (listening on {})",
        running.address
    );
    out!(
        "Data folder: {}",
        std::path::absolute(data)
            .unwrap_or(data.to_owned())
            .display()
    );
    if !running.address.ip().is_loopback() && url.starts_with("http://") {
        out!(
            "Warning: passwords are sent unencrypted. Put a TLS proxy in front, and set public_url to its https:// address."
        );
    }
    match (&running.setup_link, registration) {
        (Some(link), _) => {
            out!(
                "There is no administrator yet. Open this link within 30 minutes to create one:\n  {link}"
            );
        }
        (None, RegistrationMode::Open) => {
            out!("Open {url} to sign in, or {url}/sign-up to register.");
        }
        (None, _) => out!("Open {url} to sign in."),
    }
}

async fn stop(running: RunningServer) -> anyhow::Result<()> {
    out!("Stopping: waiting up to 20 seconds for running requests. Ctrl-C stops at once.");
    tokio::select! {
        stopped = running.stop() => stopped,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("stopped before all requests were finished; answered changes are stored"),
    }
}
