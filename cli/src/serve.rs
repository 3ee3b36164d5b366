//! `strongroom serve`

use std::process::ExitCode;

use auth::Clock;
use server::{Config, config::RegistrationMode, telemetry};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::log(&config)?;
    let (data, public_url, registration) = (config.data.clone(), config.public_url.clone(), config.registration);
    let in_the_clear = !config.listen.ip().is_loopback() && public_url.starts_with("http://");
    let mut running = server::start(config, Clock::system()).await?;
    println!("Strongroom serves {public_url} (listening on {})", running.address);
    println!("Everything is kept in {}", std::path::absolute(&data).unwrap_or(data).display());
    if in_the_clear {
        println!("Passwords travel in the clear: put a TLS proxy in front and set public_url to its https:// address.");
    }
    match (&running.setup_link, registration) {
        (Some(link), _) => {
            println!("There is no administrator yet. Open this link within 30 minutes to make one:\n  {link}");
        }
        (None, RegistrationMode::Open) => {
            println!("Open {public_url} to sign in; others register at {public_url}/sign-up")
        }
        (None, _) => println!("Open {public_url} to sign in."),
    }
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        finished = running.finished() => { finished?; }
        _ = tokio::signal::ctrl_c() => stop(running).await?,
        _ = terminate.recv() => stop(running).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn stop(running: server::Running) -> anyhow::Result<()> {
    println!("Stopping: requests under way end first.");
    running.stop().await
}
