//! The `strongroom` program: `serve`, and what the operator does to the data folder.

#![expect(clippy::print_stdout, reason = "a program speaks on standard output")]
#![expect(clippy::print_stderr, reason = "and complains on standard error")]

mod args;
mod environment;
mod serve;
mod user;
mod verify;

use std::process::ExitCode;

use args::{Arguments, Command};
use clap::Parser;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("strongroom: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    environment::refuse_unknown(std::env::vars_os().map(|(name, _)| name))?;
    let config = arguments.settings.config()?;
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(config).await,
        Command::User { command } => user::run(command, config).await,
        Command::Verify => verify::verify(config).await,
    }
}
