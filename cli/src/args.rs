//! Flags and environment.

#![expect(
    clippy::doc_markdown,
    reason = "clap prints these comments as the help text"
)]

mod commands;
mod settings;
mod values;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};

pub(crate) use commands::{
    AddUser, AuditCommand, BreachCommand, Command, EndSessions, KeyCommand, ThrottleCommand,
    UserCommand,
};
pub(crate) use settings::Settings;

/// Check-out server for files that cannot be merged.
///
/// Without a command it serves on http://127.0.0.1:8000 and stores its data in ./strongroom-data.
/// The first start prints a link that creates the first administrator.
#[derive(Debug, Parser)]
#[command(version, about, long_about, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Parses the command line. Exits on invalid arguments and on `--help`.
pub(crate) fn read() -> Arguments {
    let mut command = Arguments::command();
    // Copies the global settings to every subcommand.
    command.build();
    let names: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for name in names {
        // Client commands use no settings. Operator commands need those that locate the data.
        let visible: &[&str] = match name.as_str() {
            "serve" => continue,
            "login" | "logout" | "whoami" => &[],
            // Its links start with the public URL.
            "user" => &["config", "data", "public_url", "log"],
            _ => &["config", "data", "log"],
        };
        command = command.mut_subcommand(name, |command| with_visible_settings(visible, command));
    }
    let matches = command.get_matches();
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Hides the other settings in the help of `command`, which still accepts them.
/// `strongroom --help` lists them all.
fn with_visible_settings(visible: &[&str], command: clap::Command) -> clap::Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    let is_visible =
        |arg: &clap::Arg| !arg.is_global_set() || visible.contains(&arg.get_id().as_str());
    let command = command.mut_args(|arg| {
        if is_visible(&arg) {
            arg
        } else {
            arg.hide(true)
        }
    });
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |below| with_visible_settings(visible, below))
    })
}

const AFTER_HELP: &str = "\
Settings come from flags, then the environment, then the TOML file (--config), then defaults.

Secrets have no flags, because every user of a machine can read them. Set them in the environment or TOML file:
  STRONGROOM_DATABASE_URL   postgres://user:password@host/database [default: SQLite in the data folder]
  SECRET_KEY                master key, at least 32 bytes [default: created in the data folder]
  STRONGROOM_METRICS_TOKEN  bearer token for /metrics [default: administrators' tokens only]
  ..._FILE                  appended to each name: path of a file that holds the value

Commands on the data folder work while the server runs. Only `key replace-master` needs it stopped.

Examples:
  strongroom                                     start a server on this machine
  strongroom user add ada --admin                create an administrator (asks for the password)
  strongroom --listen 0.0.0.0:8000 --registration closed serve
                                                 serve a network; administrators create the accounts
  strongroom user import users.csv               import accounts: username,hashed_password,is_admin
  strongroom login https://files.example.org     sign in to a server
  strongroom verify                              check content, database, git and audit log";
