//! `strongroom user`: manages accounts, on the data folder. Access to it makes a user the operator.

mod add;
mod csv_dialect;
mod end_sessions;
mod import;
mod invite;
mod reset;

use std::process::ExitCode;

use auth::{
    AccountChange, AccountStatus, Clock, Username, access::permit::Administrator,
    factor::AuditReason, store::AccountQuery,
};
use reset::RejectCurrentPassword;
use server::{Config, installation::Installation, state::Auth};
use vault::VaultStore;

use crate::{args::UserCommand, console::operator_permit, require_data_folder};

pub(crate) async fn run(command: UserCommand, config: Config) -> anyhow::Result<ExitCode> {
    let is_new = !config.data.join("keys").is_dir();
    if !matches!(
        command,
        UserCommand::Add { .. } | UserCommand::Import { .. }
    ) {
        require_data_folder(&config)?;
    }
    let opened = server::installation::open(&config, Clock::system()).await?;
    if is_new {
        err!(
            "Created the data folder {} (--data names another one).",
            config.data.display()
        );
    }
    let auth = &opened.auth;
    match command {
        UserCommand::Import { file } => return import::import(auth, &file).await,
        UserCommand::Add(arguments) => add::add(auth, arguments).await?,
        UserCommand::List => list(auth, &opened).await?,
        UserCommand::Disable { name } => disable(auth, &name).await?,
        UserCommand::Enable { name } => enable(auth, &name).await?,
        UserCommand::Promote { name } => promote(auth, &name).await?,
        UserCommand::Demote { name } => demote(auth, &name).await?,
        UserCommand::EndSessions(arguments) => end_sessions::end_sessions(auth, arguments).await?,
        UserCommand::Invite { roles, email } => {
            invite::invite(auth, &config, &roles, email.as_deref()).await?;
        }
        UserCommand::Recover { name, reason } => reset_factors(auth, &name, &reason).await?,
        UserCommand::Reset { name, require } => {
            let required = require.then_some(RejectCurrentPassword);
            reset::reset(auth, &config, &name, required).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn reset_factors(auth: &Auth, name: &str, reason: &str) -> anyhow::Result<()> {
    auth.factors()
        .reset_factors(
            &operator_permit(),
            &Username::parse(name)?,
            AuditReason::parse(reason)?,
        )
        .await?;
    out!("Removed all second factors of {name}; all its sessions have ended.");
    Ok(())
}

async fn disable(auth: &Auth, name: &str) -> anyhow::Result<()> {
    set_status(auth, name, AccountStatus::Disabled).await?;
    out!("{name} is disabled, and all its sessions have ended.");
    Ok(())
}

async fn enable(auth: &Auth, name: &str) -> anyhow::Result<()> {
    set_status(auth, name, AccountStatus::Active).await?;
    out!("{name} is enabled.");
    Ok(())
}

async fn promote(auth: &Auth, name: &str) -> anyhow::Result<()> {
    set_administrator(auth, name, Some(Administrator)).await?;
    out!("{name} is an administrator.");
    Ok(())
}

async fn demote(auth: &Auth, name: &str) -> anyhow::Result<()> {
    set_administrator(auth, name, None).await?;
    out!("{name} is no longer an administrator.");
    Ok(())
}

async fn set_status(auth: &Auth, name: &str, status: AccountStatus) -> anyhow::Result<()> {
    let change = AccountChange {
        status: Some(status),
        ..AccountChange::default()
    };
    auth.admin()
        .change_account(&operator_permit(), &Username::parse(name)?, change)
        .await?;
    Ok(())
}

async fn set_administrator(
    auth: &Auth,
    name: &str,
    rights: Option<Administrator>,
) -> anyhow::Result<()> {
    let change = AccountChange {
        administrator: Some(rights.is_some()),
        ..AccountChange::default()
    };
    auth.admin()
        .change_account(&operator_permit(), &Username::parse(name)?, change)
        .await?;
    Ok(())
}

/// Warns that a link may have the wrong URL: this command does not see the flags of the server.
fn warn_if_url_is_guessed(config: &Config) {
    if config.has_default_url() {
        err!(
            "(The link uses {}. If the server has another address, set --public-url or --config.)",
            config.public_url
        );
    }
}

async fn list(auth: &Auth, opened: &Installation) -> anyhow::Result<()> {
    const PAGE: u32 = 1000;
    let vaults = opened.store.vaults().await?;
    let mut after = None;
    loop {
        let page = auth
            .admin()
            .members(
                &operator_permit(),
                AccountQuery {
                    after: after.clone(),
                    limit: PAGE,
                    ..Default::default()
                },
            )
            .await?;
        for member in &page {
            let account = &member.account;
            let mut facts = Vec::new();
            if account.administrator {
                facts.push("administrator".to_owned());
            }
            if account.status != AccountStatus::Active {
                facts.push("disabled".to_owned());
            }
            for (id, role) in &member.roles {
                if let Some(vault) = vaults.iter().find(|vault| vault.id == *id) {
                    facts.push(format!("{} of {}", role.as_str(), vault.name));
                }
            }
            let line = format!("{:<24} {}", account.username.as_str(), facts.join(", "));
            out!("{}", line.trim_end());
        }
        match page.last() {
            Some(last) if page.len() == PAGE as usize => {
                after = Some(last.account.username.clone());
            }
            _ => return Ok(()),
        }
    }
}
