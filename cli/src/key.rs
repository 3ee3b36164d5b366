//! `strongroom key`: the key ring, on the data folder itself.

use std::process::ExitCode;

use auth::{Clock, key_ring::OldKey, store::StoredKey};
use server::Config;

use crate::{args::KeyCommand, refuse_nothing};

pub(crate) async fn run(command: KeyCommand, config: Config) -> anyhow::Result<ExitCode> {
    refuse_nothing(&config)?;
    let ring = server::serve::open_ring(&config, Clock::system()).await?;
    match command {
        KeyCommand::List => list(&ring.list().await?),
        KeyCommand::Rotate { end_tokens } => {
            let old = if end_tokens { OldKey::Ends } else { OldKey::Verifies };
            let kid = ring.rotate(old).await?;
            match old {
                OldKey::Verifies => say!("{kid} signs now; the old key verifies until its tokens die."),
                OldKey::Ends => say!("{kid} signs now; the old keys and their tokens have ended."),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(keys: &[StoredKey]) {
    if keys.is_empty() {
        say!("There are no keys yet: the first start makes one.");
    }
    for key in keys {
        let state = match key.retired_at {
            None => format!("signs since {:.0}", key.made_at),
            Some(at) => format!("verifies only, since {at:.0}"),
        };
        say!("{}  {:<5}  {state}", key.kid, key.algorithm);
    }
}
