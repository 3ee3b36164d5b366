//! `strongroom key`: the key ring and the master key, on the data folder.

use std::process::ExitCode;

use auth::{
    Clock,
    keys::ring::OldKey,
    store::{Resealed, StoredKey},
};
use server::{
    Config,
    master_key::{self, NextStep, OnMissingKey, Rotated},
};

use crate::{args::KeyCommand, output::count, require_data_folder};

pub(crate) async fn run(command: KeyCommand, config: Config) -> anyhow::Result<ExitCode> {
    require_data_folder(&config)?;
    let ring = |lost| server::installation::open_key_ring(&config, lost, Clock::system());
    match command {
        KeyCommand::List => list(&ring(OnMissingKey::Fail).await?.list().await?),
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
                master_key::rotate(&config, new_key_file.as_deref(), tokens, Clock::system())
                    .await?;
            report_replacement(&replaced, tokens);
        }
        KeyCommand::Rotate { end_tokens } => {
            let old = if end_tokens {
                OldKey::Revoke
            } else {
                OldKey::KeepVerifying
            };
            let lost = if end_tokens {
                OnMissingKey::Replace
            } else {
                OnMissingKey::Fail
            };
            let was_missing =
                config.secret_key.is_none() && !config.data.join("keys/master.key").exists();
            let kid = ring(lost).await?.rotate(old).await?;
            report_rotation(&kid, old);
            if was_missing {
                out!(
                    "The master key was missing, so a new one was created. All passwords and authenticator apps are lost."
                );
                out!(
                    "Create reset links with `strongroom user reset NAME`, and remove lost apps with `strongroom user recover NAME`."
                );
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report_rotation(kid: &str, old: OldKey) {
    let old_keys = match old {
        OldKey::KeepVerifying => "Old keys verify until their tokens expire.",
        OldKey::Revoke => "Old keys and their tokens have ended.",
    };
    out!("{kid} is the new signing key. {old_keys}");
}

fn report_replacement(replaced: &Rotated, tokens: OldKey) {
    let Resealed {
        keys,
        totp_secrets,
        unreadable,
    } = replaced.resealed;
    out!(
        "The master key is replaced: {} and {} are encrypted under the new one.",
        count(keys, "key", "keys"),
        count(totp_secrets, "authenticator app", "authenticator apps")
    );
    if unreadable > 0 {
        out!(
            "{} could not be decrypted with the old key either; unchanged.",
            count(unreadable, "more secret", "more secrets")
        );
    }
    report_rotation(&replaced.kid, tokens);
    match &replaced.next_step {
        NextStep::Restart { old } => {
            out!(
                "Start the server again. Older backups need the old key in {}.",
                old.display()
            );
            out!("Move it to those backups, and delete it together with the last of them.");
        }
        NextStep::UpdateSetting { new } => {
            out!(
                "Set SECRET_KEY or SECRET_KEY_FILE to the key in {}, and start the server.",
                new.display()
            );
            out!(
                "Older backups need the old key: keep it with them, and delete it together with the last of them."
            );
        }
    }
}

fn list(keys: &[StoredKey]) {
    if keys.is_empty() {
        out!("No keys yet: the first start of the server creates one.");
    }
    for key in keys {
        let state = match key.retired_at {
            None => format!("signs since {:.0}", key.created_at),
            Some(at) => format!("verifies only, since {at:.0}"),
        };
        out!("{}  {:<5}  {state}", key.kid, key.algorithm);
    }
}
