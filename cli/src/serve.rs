//! `strongroom serve`

use std::{path::Path, process::ExitCode};

use auth::Clock;
use server::{Config, Running, config::RegistrationMode, telemetry};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::log(&config)?;
    let (data, registration) = (config.data.clone(), config.registration);
    let mut running = server::start(config, Clock::system()).await?;
    // Before anybody is told that it runs: from then on it is stopped in order.
    let mut terminate = signal(SignalKind::terminate())?;
    greet(&running, &data, registration);
    tokio::select! {
        finished = running.finished() => finished?,
        _ = tokio::signal::ctrl_c() => stop(running).await?,
        _ = terminate.recv() => stop(running).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn greet(running: &Running, data: &Path, registration: RegistrationMode) {
    let url = &running.public_url;
    say!("Strongroom serves {url} (listening on {})", running.address);
    say!(
        "Everything is kept in {}",
        std::path::absolute(data)
            .unwrap_or(data.to_owned())
            .display()
    );
    if !running.address.ip().is_loopback() && url.starts_with("http://") {
        say!(
            "Passwords travel in the clear: put a TLS proxy in front and set public_url to its https:// address."
        );
    }
    match (&running.setup_link, registration) {
        (Some(link), _) => {
            say!(
                "There is no administrator yet. Open this link within 30 minutes to make one:\n  {link}"
            );
        }
        (None, RegistrationMode::Open) => {
            say!("Open {url} to sign in; others register at {url}/sign-up")
        }
        (None, _) => say!("Open {url} to sign in."),
    }
}

async fn stop(running: Running) -> anyhow::Result<()> {
    say!("Stopping: requests under way end first, for at most 20 seconds. Ctrl-C stops at once.");
    tokio::select! {
        stopped = running.stop() => stopped,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("stopped at once; what was answered is safe"),
    }
}
