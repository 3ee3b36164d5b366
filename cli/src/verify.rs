//! `strongroom verify`

use std::process::ExitCode;

use auth::Clock;
use server::Config;

/// Prints what is wrong, file by file; fails if anything is.
pub(crate) async fn verify(config: Config) -> anyhow::Result<ExitCode> {
    let repositories = config.data.join("vaults");
    let opened = server::serve::open(&config, Clock::system()).await?;
    let mut wrong = 0;
    let summary = vault::verify::verify(&opened.store, &opened.blobs, &repositories, |finding| {
        if finding.is_wrong() {
            wrong += 1;
        }
        println!("{finding}");
    })
    .await?;
    println!("{summary}");
    if wrong > 0 {
        println!("{wrong} things are wrong.");
        return Ok(ExitCode::FAILURE);
    }
    println!("Everything is as it should be.");
    Ok(ExitCode::SUCCESS)
}
