//! `strongroom migrate`

use std::process::ExitCode;

use server::Config;

pub(crate) async fn migrate(config: &Config, grant_to: Option<String>) -> anyhow::Result<ExitCode> {
    server::serve::migrate(config, grant_to.clone()).await?;
    say!("The tables are up to date.");
    if let Some(role) = grant_to {
        say!("{role} may serve from them.");
    }
    Ok(ExitCode::SUCCESS)
}
