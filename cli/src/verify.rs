//! `strongroom verify`

use std::process::ExitCode;

use auth::Clock;
use server::Config;

use crate::{
    audit,
    output::{count, on_one_line},
    require_data_folder,
};

/// Prints each finding. Fails if one of them is an error.
pub(crate) async fn verify(config: Config) -> anyhow::Result<ExitCode> {
    require_data_folder(&config)?;
    let repositories = config.data.join("vaults");
    let opened = server::installation::open_for_reading(&config, Clock::system()).await?;
    let mut wrong = 0;
    let summary = vault::verify::verify(&opened.store, &opened.blobs, &repositories, |finding| {
        if finding.is_error() {
            wrong += 1;
        }
        out!("{}", on_one_line(&finding.to_string()));
    })
    .await?;
    wrong += audit::report_broken(&audit::check(&opened, &config).await?);
    out!("{summary}");
    if wrong > 0 {
        out!("{} found.", count(wrong, "problem", "problems"));
        return Ok(ExitCode::FAILURE);
    }
    out!("No problems found.");
    Ok(ExitCode::SUCCESS)
}
