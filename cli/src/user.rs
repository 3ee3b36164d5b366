//! `strongroom user`: manages accounts, on the data folder. Access to it makes a user the operator.

mod import;
mod invite;

use std::{
    io::{IsTerminal, Read},
    process::ExitCode,
};

use auth::{
    AccountChange, AccountStatus, Clock, DisplayName, EmailAddress, Password, Username,
    access::permit::Administrator,
    accounts::{administration::OwnSession, registration::RegistrationRequest},
    factor::AuditReason,
    store::{AccountQuery, PersonalTokenPolicy},
};
use secrecy::ExposeSecret as _;
use server::{Config, serve::Installation, state::Auth};
use vault::VaultStore;

use crate::{args::UserCommand, console::operator_permit, output::count, require_data_folder};

#[expect(clippy::too_many_lines, reason = "one arm for each command")]
pub(crate) async fn run(command: UserCommand, config: Config) -> anyhow::Result<ExitCode> {
    let is_new = !config.data.join("keys").is_dir();
    if !matches!(
        command,
        UserCommand::Add { .. } | UserCommand::Import { .. }
    ) {
        require_data_folder(&config)?;
    }
    let opened = server::serve::open(&config, Clock::system()).await?;
    if is_new {
        err!(
            "Created the data folder {} (--data names another one).",
            config.data.display()
        );
    }
    let auth = &opened.auth;
    match command {
        UserCommand::Add {
            name,
            admin,
            display_name,
            email,
            password_stdin,
        } => {
            let request = RegistrationRequest {
                username: Username::parse(&name)?,
                display_name: parse_optional(display_name.as_deref(), DisplayName::parse)?,
                email: parse_optional(email.as_deref(), EmailAddress::parse)?,
                password: enter_password(password_stdin.then_some(&FromStdin))?,
            };
            add(auth, request, admin.then_some(Administrator)).await?;
        }
        UserCommand::List => list(auth, &opened).await?,
        UserCommand::Disable { name } => disable(auth, &name).await?,
        UserCommand::Enable { name } => enable(auth, &name).await?,
        UserCommand::Promote { name } => promote(auth, &name).await?,
        UserCommand::Demote { name } => demote(auth, &name).await?,
        UserCommand::EndSessions {
            name: Some(name), ..
        } => {
            end_sessions_of(auth, &name).await?;
        }
        UserCommand::EndSessions {
            name: None,
            tokens,
            reason,
            ..
        } => {
            let reason = AuditReason::parse(&reason.unwrap_or_default())?;
            end_all_sessions(auth, tokens.then_some(PersonalTokenPolicy::End), reason).await?;
        }
        UserCommand::Invite { roles, email } => {
            invite::invite((auth, &config), &roles, email.as_deref()).await?;
        }
        UserCommand::Recover { name, reason } => {
            reset_factors(auth, &name, &reason).await?;
        }
        UserCommand::Reset { name, require } => {
            reset(
                (auth, &config),
                &name,
                require.then_some(RejectCurrentPassword),
            )
            .await?;
        }
        UserCommand::Import { file } => return import::import(auth, &file).await,
    }
    Ok(ExitCode::SUCCESS)
}

fn parse_optional<T, E>(
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, E> {
    text.map(parse).transpose()
}

async fn add(
    auth: &Auth,
    request: RegistrationRequest,
    administrator: Option<Administrator>,
) -> anyhow::Result<()> {
    let kind = if administrator.is_some() {
        "administrator"
    } else {
        "account"
    };
    let account = auth.accounts().add_account(request, administrator).await?;
    out!("Created the {kind} {}.", account.username);
    Ok(())
}

async fn end_sessions_of(auth: &Auth, name: &str) -> anyhow::Result<()> {
    let ended = auth
        .admin()
        .end_sessions_of(&operator_permit(), &Username::parse(name)?)
        .await?;
    out!(
        "{name} is signed out everywhere ({}).",
        count(ended, "session", "sessions")
    );
    Ok(())
}

/// Personal access tokens stay unless `tokens` says otherwise.
async fn end_all_sessions(
    auth: &Auth,
    tokens: Option<PersonalTokenPolicy>,
    reason: AuditReason,
) -> anyhow::Result<()> {
    let tokens = tokens.unwrap_or(PersonalTokenPolicy::Keep);
    let ended = auth
        .admin()
        .end_all_sessions(&operator_permit(), OwnSession::End, tokens, reason)
        .await?;
    out!(
        "All accounts are signed out ({}).",
        count(ended, "session", "sessions")
    );
    Ok(())
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

/// Option of `user reset`: the current password is rejected at once.
struct RejectCurrentPassword;

async fn reset(
    (auth, config): (&Auth, &Config),
    name: &str,
    required: Option<RejectCurrentPassword>,
) -> anyhow::Result<()> {
    let username = Username::parse(name)?;
    // Check before the first change.
    if auth
        .admin()
        .member(&operator_permit(), &username)
        .await?
        .account
        .status
        != AccountStatus::Active
    {
        return Err(auth::AuthError::Account(auth::error::AccountError::AccountDisabled).into());
    }
    if required.is_some() {
        let change = AccountChange {
            must_change_password: Some(true),
            ..AccountChange::default()
        };
        auth.admin()
            .change_account(&operator_permit(), &username, change)
            .await?;
        out!("{username} is signed out everywhere, and the current password is rejected.");
    }
    let made = auth
        .passwords()
        .reset_link(&operator_permit(), &username)
        .await?;
    out!(
        "Give this link to {username}. It sets a new password, once, until {}:",
        made.expires_at.strftime("%H:%M UTC")
    );
    out!("  {}", made.link.expose_secret());
    warn_if_url_is_guessed(config);
    Ok(())
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

/// From standard input if `from_stdin`, else from a prompt without echo.
fn enter_password(from_stdin: Option<&FromStdin>) -> anyhow::Result<Password> {
    if from_stdin.is_some() {
        read_password()
    } else {
        ask_password()
    }
}

/// `--password-stdin`.
struct FromStdin;

fn read_password() -> anyhow::Result<Password> {
    let mut text = String::new();
    std::io::stdin().take(4096).read_to_string(&mut text)?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.contains(['\r', '\n']) {
        anyhow::bail!("standard input has more than one line; a password is one line");
    }
    Ok(Password::new(line.to_owned()))
}

/// Restores the terminal on Ctrl-C, because the password prompt turns its echo off.
fn restore_terminal_on_ctrl_c() {
    let Ok(before) = rustix::termios::tcgetattr(std::io::stdin()) else {
        return;
    };
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = rustix::termios::tcsetattr(
                std::io::stdin(),
                rustix::termios::OptionalActions::Now,
                &before,
            );
            err!("");
            std::process::exit(130);
        }
    });
}

fn ask_password() -> anyhow::Result<Password> {
    if !std::io::stdin().is_terminal() {
        anyhow::bail!("no terminal to prompt for the password: use --password-stdin");
    }
    restore_terminal_on_ctrl_c();
    let first = rpassword::prompt_password(
        "Password (at least 15 characters; a few unrelated words are good): ",
    )?;
    let again = rpassword::prompt_password("Repeat the password: ")?;
    if first != again {
        anyhow::bail!("the passwords do not match; no account was created");
    }
    Ok(Password::new(first))
}
