//! `strongroom user`: accounts, on the data folder itself. Whoever can read it is the operator.

mod import;
mod invite;

use std::{
    io::{IsTerminal, Read},
    process::ExitCode,
};

use auth::{
    AccountChange, Clock, DisplayName, EmailAddress, Password, AccountStatus, Username,
    administration::OwnSession,
    auth::RegistrationRequest,
    factor::AuditReason,
    permit::Administrator,
    store::{AccountQuery, PersonalTokenPolicy},
};
use secrecy::ExposeSecret as _;
use server::{Config, serve::Opened, state::Auth};
use vault::VaultStore;

use crate::{args::UserCommand, console::operator, refuse_nothing};

pub(crate) async fn run(command: UserCommand, config: Config) -> anyhow::Result<ExitCode> {
    let is_new = !config.data.join("keys").is_dir();
    if !matches!(
        command,
        UserCommand::Add { .. } | UserCommand::Import { .. }
    ) {
        refuse_nothing(&config)?;
    }
    let opened = server::serve::open(&config, Clock::system()).await?;
    if is_new {
        complain!(
            "A new Strongroom was made in {} (--data names another folder).",
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
            let applicant = RegistrationRequest {
                username: Username::parse(&name)?,
                display_name: display_name
                    .as_deref()
                    .map(DisplayName::parse)
                    .transpose()?,
                email: email.as_deref().map(EmailAddress::parse).transpose()?,
                password: if password_stdin {
                    read_password()?
                } else {
                    ask_password()?
                },
            };
            let account = auth
                .add_account(applicant, admin.then_some(Administrator))
                .await?;
            say!(
                "{} is {}.",
                account.username,
                if admin {
                    "an administrator now"
                } else {
                    "registered now"
                }
            );
        }
        UserCommand::List => list(auth, &opened).await?,
        UserCommand::Disable { name } => {
            set_standing(auth, &name, AccountStatus::Disabled).await?;
            say!("{name} is disabled; every session of it has ended.");
        }
        UserCommand::Enable { name } => {
            set_standing(auth, &name, AccountStatus::Active).await?;
            say!("{name} may sign in again.");
        }
        UserCommand::Promote { name } => {
            set_administrator(auth, &name, Some(Administrator)).await?;
            say!("{name} is an administrator.");
        }
        UserCommand::Demote { name } => {
            set_administrator(auth, &name, None).await?;
            say!("{name} is no administrator any more.");
        }
        UserCommand::EndSessions {
            name: Some(name), ..
        } => {
            let ended = auth
                .end_sessions_of(&operator(), &Username::parse(&name)?)
                .await?;
            say!("{name} is signed out everywhere ({ended}).");
        }
        UserCommand::EndSessions {
            name: None,
            tokens,
            reason,
            ..
        } => {
            let tokens = if tokens {
                PersonalTokenPolicy::End
            } else {
                PersonalTokenPolicy::Keep
            };
            let reason = AuditReason::parse(&reason.unwrap_or_default())?;
            let ended = auth
                .end_all_sessions(&operator(), OwnSession::End, tokens, reason)
                .await?;
            say!("Everybody is signed out ({ended} sessions).");
        }
        UserCommand::Invite { roles, email } => {
            invite::invite((auth, &config), &roles, email.as_deref()).await?
        }
        UserCommand::Recover { name, reason } => {
            auth.reset_factors(
                &operator(),
                &Username::parse(&name)?,
                AuditReason::parse(&reason)?,
            )
            .await?;
            say!("{name} signs in with the password alone now; every session of it has ended.");
        }
        UserCommand::Reset { name, require } => {
            reset((auth, &config), &name, require.then_some(Required)).await?
        }
        UserCommand::Import { file } => return import::import(auth, &file).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn set_standing(auth: &Auth, name: &str, standing: AccountStatus) -> anyhow::Result<()> {
    let change = AccountChange {
        standing: Some(standing),
        ..AccountChange::default()
    };
    auth.change_account(&operator(), &Username::parse(name)?, change)
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
    auth.change_account(&operator(), &Username::parse(name)?, change)
        .await?;
    Ok(())
}

/// What the server was told on its command line, this command does not know.
fn warn_of_a_guess(config: &Config) {
    if config.guesses_its_url() {
        complain!(
            "(It leads to {}, unless --public-url or --config say otherwise.)",
            config.public_url
        );
    }
}

/// The present password is not taken any more.
struct Required;

async fn reset(
    (auth, config): (&Auth, &Config),
    name: &str,
    required: Option<Required>,
) -> anyhow::Result<()> {
    let username = Username::parse(name)?;
    // Before anything is done.
    if auth.member(&operator(), &username).await?.account.standing != AccountStatus::Active {
        return Err(auth::AuthError::AccountDisabled.into());
    }
    if required.is_some() {
        let change = AccountChange {
            must_change_password: Some(true),
            ..AccountChange::default()
        };
        auth.change_account(&operator(), &username, change).await?;
        say!("{username} is signed out everywhere, and the present password is refused.");
    }
    let made = auth.reset_link(&operator(), &username).await?;
    say!(
        "Hand this link over to {username}. It sets a new password, once, until {}:",
        made.expires_at.strftime("%H:%M UTC")
    );
    say!("  {}", made.link.expose_secret());
    warn_of_a_guess(config);
    Ok(())
}

async fn list(auth: &Auth, opened: &Opened) -> anyhow::Result<()> {
    const PAGE: u32 = 1000;
    let vaults = opened.store.vaults().await?;
    let mut after = None;
    loop {
        let page = auth
            .members(
                &operator(),
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
            if account.standing != AccountStatus::Active {
                facts.push("disabled".to_owned());
            }
            for (id, role) in &member.roles {
                if let Some(vault) = vaults.iter().find(|vault| vault.id == *id) {
                    facts.push(format!("{} of {}", role.as_str(), vault.name));
                }
            }
            let line = format!("{:<24} {}", account.username.as_str(), facts.join(", "));
            say!("{}", line.trim_end());
        }
        match page.last() {
            Some(last) if page.len() == PAGE as usize => {
                after = Some(last.account.username.clone())
            }
            _ => return Ok(()),
        }
    }
}

fn read_password() -> anyhow::Result<Password> {
    let mut text = String::new();
    std::io::stdin().take(4096).read_to_string(&mut text)?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.contains(['\r', '\n']) {
        anyhow::bail!(
            "there is more than one line on standard input, and no form takes such a password"
        );
    }
    Ok(Password::new(line.to_owned()))
}

/// While a password is asked for, the terminal shows nothing: whoever gives up, then or later, gets it back as it was.
fn survive_ctrl_c() {
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
            complain!("");
            std::process::exit(130);
        }
    });
}

fn ask_password() -> anyhow::Result<Password> {
    if !std::io::stdin().is_terminal() {
        anyhow::bail!("there is no terminal to ask for the password on; use --password-stdin");
    }
    survive_ctrl_c();
    let first = rpassword::prompt_password(
        "Password (at least 15 characters; a few unrelated words are good): ",
    )?;
    let again = rpassword::prompt_password("Again: ")?;
    if first != again {
        anyhow::bail!("the two passwords differ; nothing was made");
    }
    Ok(Password::new(first))
}
