//! `strongroom verify`

use std::process::ExitCode;

use auth::Clock;
use server::Config;

use crate::{audit, refuse_nothing, say::on_one_line};

/// Prints what is wrong, file by file; fails if anything is.
pub(crate) async fn verify(config: Config) -> anyhow::Result<ExitCode> {
    refuse_nothing(&config)?;
    let repositories = config.data.join("vaults");
    let opened = server::serve::open(&config, Clock::system()).await?;
    let mut wrong = 0;
    let summary = vault::verify::verify(&opened.store, &opened.blobs, &repositories, |finding| {
        if finding.is_error() {
            wrong += 1;
        }
        say!("{}", on_one_line(&finding.to_string()));
    })
    .await?;
    wrong += audit::complain(&audit::check(&opened, &config).await?);
    say!("{summary}");
    if wrong > 0 {
        say!(
            "{}",
            if wrong == 1 {
                "1 thing is wrong.".to_owned()
            } else {
                format!("{wrong} things are wrong.")
            }
        );
        return Ok(ExitCode::FAILURE);
    }
    say!("Everything is as it should be.");
    Ok(ExitCode::SUCCESS)
}
