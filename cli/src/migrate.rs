//! `strongroom migrate`: updates the database schema.

use std::process::ExitCode;

use server::Config;

pub(crate) async fn migrate(config: &Config, grant_to: Option<String>) -> anyhow::Result<ExitCode> {
    server::installation::migrate(config, grant_to.clone()).await?;
    out!("The database schema is up to date.");
    if let Some(role) = grant_to {
        out!("{role} has the privileges of a server.");
    }
    Ok(ExitCode::SUCCESS)
}
