//! `strongroom user add`: creates an account, with a password from a prompt or standard input.

use std::io::{IsTerminal, Read};

use auth::{
    DisplayName, EmailAddress, Password, Username, access::permit::Administrator,
    accounts::registration::RegistrationRequest,
};
use server::state::Auth;

use crate::args::AddUser;

pub(super) async fn add(auth: &Auth, arguments: AddUser) -> anyhow::Result<()> {
    let request = RegistrationRequest {
        username: Username::parse(&arguments.name)?,
        display_name: parse_optional(arguments.display_name.as_deref(), DisplayName::parse)?,
        email: parse_optional(arguments.email.as_deref(), EmailAddress::parse)?,
        password: if arguments.password_stdin {
            read_password()?
        } else {
            ask_password()?
        },
    };
    let administrator = arguments.admin.then_some(Administrator);
    let kind = if arguments.admin {
        "administrator"
    } else {
        "account"
    };
    let account = auth.accounts().add_account(request, administrator).await?;
    out!("Created the {kind} {}.", account.username);
    Ok(())
}

fn parse_optional<T, E>(
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, E> {
    text.map(parse).transpose()
}

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
