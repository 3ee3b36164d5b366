//! `strongroom verify`

use std::process::ExitCode;

use auth::Clock;
use server::{Config, serve::Opened};
use store::{Chain, Verdict};
use vault::VaultStore;

use crate::refuse_nothing;

/// Prints what is wrong, file by file; fails if anything is.
pub(crate) async fn verify(config: Config) -> anyhow::Result<ExitCode> {
    refuse_nothing(&config)?;
    let repositories = config.data.join("vaults");
    let opened = server::serve::open(&config, Clock::system()).await?;
    let mut wrong = 0;
    let summary = vault::verify::verify(&opened.store, &opened.blobs, &repositories, |finding| {
        if finding.is_wrong() {
            wrong += 1;
        }
        say!("{finding}");
    })
    .await?;
    wrong += verify_audit(&opened).await?;
    say!("{summary}");
    if wrong > 0 {
        say!("{}", if wrong == 1 { "1 thing is wrong.".to_owned() } else { format!("{wrong} things are wrong.") });
        return Ok(ExitCode::FAILURE);
    }
    say!("Everything is as it should be.");
    Ok(ExitCode::SUCCESS)
}

/// The record of who did what: how many of its chains were edited.
async fn verify_audit(opened: &Opened) -> anyhow::Result<u32> {
    let mut chains = vec![("accounts".to_owned(), Chain::Accounts)];
    let vaults = opened.store.vaults().await?;
    chains.extend(vaults.into_iter().map(|vault| (vault.name.to_string(), Chain::Realm(vault.id))));
    let mut broken = 0;
    for (name, chain) in chains {
        if let Verdict::Broken { at } = opened.store.verify_audit(&chain).await? {
            broken += 1;
            say!("{name}: entry {at} of the audit is missing, or not as it was written.");
        }
    }
    Ok(broken)
}
