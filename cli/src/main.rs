//! The `strongroom` program: `serve`, what the operator does to the data folder, and what a person does to a server.

#[macro_use]
mod say;

mod args;
mod audit;
mod breach;
mod console;
mod environment;
mod key;
mod migrate;
mod remote;
mod serve;
mod throttle;
mod user;
mod verify;

use std::process::ExitCode;

use args::{Arguments, Command};
use server::Config;

fn main() -> ExitCode {
    let arguments = args::read();
    let serves = matches!(arguments.command, None | Some(Command::Serve));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(_) if !serves && say::lost() => {
            complain!(
                "strongroom: it was done, but not all that there was to say could be written"
            );
            ExitCode::FAILURE
        }
        Ok(code) => code,
        Err(error) => {
            complain!("strongroom: {}", complaint(&error));
            ExitCode::FAILURE
        }
    }
}

/// A command that only looks must not make what it was to look at: a mistyped folder would be found in order.
fn refuse_nothing(config: &Config) -> anyhow::Result<()> {
    if config.data.join("keys").is_dir() {
        return Ok(());
    }
    anyhow::bail!(
        "there is no Strongroom in {} (--data names another folder)",
        config.data.display()
    )
}

/// The error and what lies under it, in one line. Many errors tell their cause in their own words: nothing is said twice.
fn complaint(error: &anyhow::Error) -> String {
    let mut said = String::new();
    let mut last = String::new();
    for cause in error.chain().map(ToString::to_string) {
        let told = said.contains(&cause) || (!last.is_empty() && cause.ends_with(&last));
        if !told {
            said = if said.is_empty() {
                cause.clone()
            } else {
                format!("{said}: {cause}")
            };
        }
        last = cause;
    }
    say::on_one_line(&said)
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    environment::refuse_unknown(std::env::vars_os().map(|(name, _)| name))?;
    let settings = arguments.settings;
    match arguments.command.unwrap_or(Command::Serve) {
        // These are a person's, and know nothing of a data folder.
        Command::Login { server, scope } => remote::login(server, scope).await,
        Command::Logout { server } => remote::logout(server).await,
        Command::Whoami { server } => remote::whoami(server).await,
        Command::Serve => serve::serve(settings.config()?).await,
        Command::User { command } => user::run(command, settings.config()?).await,
        Command::Key { command } => key::run(command, settings.config()?).await,
        Command::Audit { command } => audit::run(command, settings.config()?).await,
        Command::Throttle { command } => throttle::run(command, settings.config()?).await,
        Command::Breach { command } => breach::run(command),
        Command::Migrate { grant_to } => migrate::migrate(&settings.config()?, grant_to).await,
        Command::Verify => verify::verify(settings.config()?).await,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::complaint;

    #[test]
    fn error_chain_prints_repeated_causes_once() {
        let error = anyhow!("file is not a database").context("code 26: file is not a database");
        assert_eq!(complaint(&error), "code 26: file is not a database");
        let error = anyhow!("code 26: not a database")
            .context("not a database")
            .context("a.db: not a database");
        assert_eq!(complaint(&error), "a.db: not a database");
        let error = anyhow!("a\u{1b}[2J\nEverything is as it should be.");
        assert_eq!(
            complaint(&error),
            "a\\u{1b}[2J\\nEverything is as it should be."
        );
        let error = anyhow!("Permission denied").context("The folder a cannot be made");
        assert_eq!(
            complaint(&error),
            "The folder a cannot be made: Permission denied"
        );
    }
}
