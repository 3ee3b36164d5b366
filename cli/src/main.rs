//! The `strongroom` program: the server, operator commands on the data folder, and client commands
//! against a server. Parses, calls and prints; everything else is in the libraries.

#[macro_use]
mod output;

mod args;
mod audit;
mod breach;
mod console;
mod env_check;
mod hangup;
mod key;
mod migrate;
mod open_files;
mod remote;
mod serve;
mod throttle;
mod user;
mod verify;

use std::process::ExitCode;

use args::{Arguments, Command};
use server::Config;

/// Threads that read and write files. Each keeps a stack and freed memory, so a burst of transfers
/// must not start one for each.
const MAX_BLOCKING_THREADS: usize = 64;

/// Gives memory back to the system after a burst of connections, which the system's allocator does
/// not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = args::read();
    let serves = matches!(arguments.command, None | Some(Command::Serve));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(_) if !serves && output::write_failed() => {
            err!("strongroom: done, but output could not be written completely");
            ExitCode::FAILURE
        }
        Ok(code) => code,
        Err(error) => {
            err!("strongroom: {}", error_chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// Fails if the data folder does not exist. Otherwise a command with a mistyped folder would create
/// an empty one and find no problems in it.
fn require_data_folder(config: &Config) -> anyhow::Result<()> {
    if config.data.join("keys").is_dir() {
        return Ok(());
    }
    anyhow::bail!(
        "{} is not a Strongroom data folder; name another one with --data",
        config.data.display()
    )
}

/// Formats an error and its causes in one line, without causes that an outer message contains.
fn error_chain(error: &anyhow::Error) -> String {
    let mut line = String::new();
    let mut last = String::new();
    for cause in error.chain().map(ToString::to_string) {
        let repeated = line.contains(&cause) || (!last.is_empty() && cause.ends_with(&last));
        if !repeated {
            line = if line.is_empty() {
                cause.clone()
            } else {
                format!("{line}: {cause}")
            };
        }
        last = cause;
    }
    output::on_one_line(&line)
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    env_check::refuse_unknown(std::env::vars_os())?;
    let settings = arguments.settings;
    match arguments.command.unwrap_or(Command::Serve) {
        // Client commands use no data folder.
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

    use super::error_chain;

    #[test]
    fn error_chain_prints_repeated_causes_once() {
        let error = anyhow!("file is not a database").context("code 26: file is not a database");
        assert_eq!(error_chain(&error), "code 26: file is not a database");
        let error = anyhow!("code 26: not a database")
            .context("not a database")
            .context("a.db: not a database");
        assert_eq!(error_chain(&error), "a.db: not a database");
        let error = anyhow!("a\u{1b}[2J\nNo problems found.");
        assert_eq!(error_chain(&error), "a\\u{1b}[2J\\nNo problems found.");
        let error = anyhow!("Permission denied").context("The folder a cannot be made");
        assert_eq!(
            error_chain(&error),
            "The folder a cannot be made: Permission denied"
        );
    }
}
