//! `strongroom key`: the key ring and the master key, on the data folder itself.

use std::process::ExitCode;

use auth::{
    Clock,
    key_ring::OldKey,
    store::{Resealed, StoredKey},
};
use server::{
    Config,
    master::{self, Lost, Replaced, Then},
};

use crate::{args::KeyCommand, refuse_nothing};

pub(crate) async fn run(command: KeyCommand, config: Config) -> anyhow::Result<ExitCode> {
    refuse_nothing(&config)?;
    let ring = |lost| server::serve::open_ring(&config, lost, Clock::system());
    match command {
        KeyCommand::List => list(&ring(Lost::ForNow).await?.list().await?),
        KeyCommand::ReplaceMaster {
            new_key_file,
            end_tokens,
        } => {
            let tokens = if end_tokens {
                OldKey::Revoke
            } else {
                OldKey::KeepVerifying
            };
            let replaced =
                master::replace(&config, new_key_file.as_deref(), tokens, Clock::system()).await?;
            tell(&replaced, tokens);
        }
        KeyCommand::Rotate { end_tokens } => {
            let old = if end_tokens {
                OldKey::Revoke
            } else {
                OldKey::KeepVerifying
            };
            let lost = if end_tokens {
                Lost::ForGood
            } else {
                Lost::ForNow
            };
            let gone = config.secret_key.is_none() && !config.data.join("keys/master.key").exists();
            let kid = ring(lost).await?.rotate(old).await?;
            match old {
                OldKey::KeepVerifying => {
                    say!("{kid} signs now; the old key verifies until its tokens die.")
                }
                OldKey::Revoke => say!("{kid} signs now; the old keys and their tokens have ended."),
            }
            if gone {
                say!(
                    "The master key was not there, so another one was made: passwords and authenticator apps from before"
                );
                say!(
                    "are lost. Hand out links (`strongroom user reset NAME`), and `strongroom user recover NAME` for the apps."
                );
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(replaced: &Replaced, tokens: OldKey) {
    let Resealed { keys, apps, dead } = replaced.resealed;
    say!(
        "Another master key is in force: {keys} keys and {apps} authenticator apps are sealed under it."
    );
    if dead > 0 {
        say!("{dead} more did not open under the old one either, and were left as they are.");
    }
    match tokens {
        OldKey::KeepVerifying => say!(
            "{} signs now; the old signing key verifies until its tokens die.",
            replaced.kid
        ),
        OldKey::Revoke => say!(
            "{} signs now; the old signing keys and their tokens have ended.",
            replaced.kid
        ),
    }
    match &replaced.then {
        Then::Start { old } => {
            say!(
                "Start the server again. Backups from before need the old key, which is in {}:",
                old.display()
            );
            say!("keep it with them, away from here, and delete it when there are none left.");
        }
        Then::Give { new } => {
            say!(
                "Give the server what is in {} as SECRET_KEY or SECRET_KEY_FILE, and start it.",
                new.display()
            );
            say!(
                "Backups from before need the old key: keep it with them, and delete it when there are none left."
            );
        }
    }
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
