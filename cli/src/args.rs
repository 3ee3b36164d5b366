//! Flags and environment.

#![expect(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "clap prints these comments as the help text"
)]

mod values;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use auth::store::NetworkPrefix;
use clap::{ArgGroup, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use secrecy::SecretString;
use server::{
    Config, ConfigSource,
    config::{
        ByteSize, DatabaseTls, DefaultRole, LogFormat, LogSection, RegistrationMode,
        RegistrationSection, Toggle, passwords::PasswordSection,
    },
};
use values::{address, named, network, proxy};

use crate::env_check;

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
  ..._FILE                  appended to either name: path of a file that holds the value

Commands on the data folder work while the server runs. Only `key replace-master` needs it stopped.

Examples:
  strongroom                                     start a server on this machine
  strongroom user add ada --admin                create an administrator (asks for the password)
  strongroom --listen 0.0.0.0:8000 --registration closed serve
                                                 serve a network; administrators create the accounts
  strongroom user import users.csv               import accounts: username,hashed_password,is_admin
  strongroom login https://files.example.org     sign in to a server
  strongroom verify                              check content, database, git and audit log";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server (the default command)
    Serve,
    /// Manage accounts: create, list, invite, disable, reset, import
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Manage the signing keys and the master key
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Sign in to a server, with a code to enter in a browser on any device
    Login {
        /// Server address, such as https://files.example.org
        #[arg(value_name = "SERVER")]
        server: String,
        /// Scopes to request, separated by spaces [default: files:read files:write locks:override]
        #[arg(long, value_name = "SCOPES")]
        scope: Option<String>,
    },
    /// Sign out of a server and end the session there
    Logout {
        /// Unless it is the last one that was signed in to
        #[arg(value_name = "SERVER")]
        server: Option<String>,
    },
    /// Show the account that is signed in, and its scopes
    Whoami {
        /// Unless it is the last one that was signed in to
        #[arg(value_name = "SERVER")]
        server: Option<String>,
    },
    /// List and lift sign-in lockouts
    Throttle {
        #[command(subcommand)]
        command: ThrottleCommand,
    },
    /// Build the list of breached passwords that new passwords are checked against
    Breach {
        #[command(subcommand)]
        command: BreachCommand,
    },
    /// Migrate the database as the owner of its tables, for servers with database_migrate off
    Migrate {
        /// PostgreSQL role of the server: grant it the privileges it needs, and no others
        #[arg(long, value_name = "ROLE")]
        grant_to: Option<String>,
    },
    /// Check content, database, git and audit log, and list each problem
    Verify,
    /// Verify or export the audit log
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check the hash chains for edited and missing entries
    Verify,
    /// Write entries to standard output as JSON lines, oldest first in each chain
    Export {
        /// "accounts" or the name of a vault [default: all chains, one after the other]
        #[arg(long, value_name = "NAME")]
        chain: Option<String>,
        /// Skip entries before this time, such as 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<jiff::Timestamp>,
        /// Keep writing new entries until Ctrl-C
        #[arg(long)]
        follow: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BreachCommand {
    /// Build the list from Pwned Passwords: lines of SHA-1 hash, colon and count, in any order
    ///
    /// The list takes 6 bytes a password, and the same again while it is built. The server checks
    /// passwords locally; none leaves the machine.
    Build {
        /// The downloaded list
        #[arg(value_name = "LIST.txt")]
        list: PathBuf,
        /// File to write
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the key that signs access tokens, and those that still verify them
    List,
    /// Create a new signing key. Old keys verify until their tokens expire. A running server
    /// follows within a second
    Rotate {
        /// Remove old keys at once. All access tokens end, and clients refresh them
        #[arg(long)]
        end_tokens: bool,
    },
    /// Replace a compromised master key and re-encrypt all secrets. Passwords and authenticator apps
    /// stay valid. Stop the server first
    ReplaceMaster {
        /// File of the new key, created if missing. Needed if the old key comes from SECRET_KEY or
        /// SECRET_KEY_FILE
        #[arg(long, value_name = "FILE")]
        new_key_file: Option<PathBuf>,
        /// Remove old signing keys at once, if the database may be compromised too. All access
        /// tokens end, and clients refresh them
        #[arg(long)]
        end_tokens: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ThrottleCommand {
    /// List accounts and networks with too many consecutive failures
    List,
    /// Clear the failures of an account or a network
    #[command(group = ArgGroup::new("target").required(true))]
    Lift {
        /// Username
        #[arg(group = "target")]
        name: Option<String>,
        /// IPv4 address, any address of an IPv6 /64, or IPv6 /48 as listed
        #[arg(long, group = "target", value_name = "ADDRESS", value_parser = network)]
        address: Option<NetworkPrefix>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Create an account
    Add {
        /// 1 to 64 of a-z 0-9 . _ - + @
        name: String,
        /// Make the account an administrator
        #[arg(long)]
        admin: bool,
        /// Name to show instead of the username
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
        /// E-mail address, for the author line in git
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Read the password from standard input instead of prompting for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// List accounts
    List,
    /// Disable an account: it cannot sign in, and its sessions end within a second
    Disable {
        /// Username
        name: String,
    },
    /// Enable a disabled account
    Enable {
        /// Username
        name: String,
    },
    /// Print a link that creates one account and expires after 3 days
    Invite {
        /// Role of the account in a vault, such as main=editor; repeat it for each vault
        #[arg(long = "role", value_name = "VAULT=ROLE")]
        roles: Vec<String>,
        /// E-mail address of the account, unverified
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
    },
    /// Make an account an administrator
    Promote {
        /// Username
        name: String,
    },
    /// Remove administrator rights; the last administrator keeps them
    Demote {
        /// Username
        name: String,
    },
    /// End all sessions and personal access tokens of an account, or sign out all accounts
    EndSessions {
        /// Username
        #[arg(required_unless_present = "everybody")]
        name: Option<String>,
        /// Sign out all accounts. Personal access tokens stay valid unless --tokens is given
        #[arg(long, conflicts_with = "name", requires = "reason")]
        everybody: bool,
        /// With --everybody: end all personal access tokens too
        #[arg(long, requires = "everybody")]
        tokens: bool,
        /// With --everybody: the reason, for the audit log
        #[arg(long, value_name = "TEXT", requires = "everybody")]
        reason: Option<String>,
    },
    /// Remove all second factors of an account whose owner lost them, and end its sessions
    Recover {
        /// Username
        name: String,
        /// Reason, for the audit log
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Print a link that sets a new password once and expires after 30 minutes
    Reset {
        /// Username
        name: String,
        /// Also end all sessions and reject the current password
        #[arg(long)]
        require: bool,
    },
    /// Import accounts from a CSV file with the columns username,hashed_password,is_admin
    ///
    /// Accepts bcrypt hashes (passlib's $2a$, $2b$, $2y$) and Argon2id hashes. Passwords stay the
    /// same.
    Import {
        /// CSV file whose first line names the columns; other columns are ignored
        #[arg(value_name = "FILE.csv")]
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Settings {
    /// TOML file with settings
    #[arg(
        long,
        global = true,
        hide_env_values = true,
        env = "STRONGROOM_CONFIG",
        value_name = "FILE"
    )]
    config: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:8000]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_LISTEN", value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Data folder [default: strongroom-data]
    #[arg(
        long,
        global = true,
        hide_env_values = true,
        env = "STRONGROOM_DATA",
        value_name = "FOLDER"
    )]
    data: Option<PathBuf>,
    /// Public URL, such as https://files.example.org [default: http:// and the address]
    #[arg(
        long,
        global = true,
        hide_env_values = true,
        env = "STRONGROOM_PUBLIC_URL",
        value_name = "URL"
    )]
    public_url: Option<String>,
    /// Registration of new users: open, closed, invite (with an invitation) [default: open on a
    /// loopback address, required on any other]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_REGISTRATION", value_name = "MODE", value_parser = named::<RegistrationMode>)]
    registration: Option<RegistrationMode>,
    /// Role of new accounts in the vault main: viewer, editor, manager, none [default: editor]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_REGISTRATION_ROLE", value_name = "ROLE", value_parser = named::<DefaultRole>)]
    registration_role: Option<DefaultRole>,
    /// Maximum file size, such as 500MiB [default: 10GiB]
    #[arg(
        long,
        global = true,
        hide_env_values = true,
        env = "STRONGROOM_MAX_FILE_SIZE",
        value_name = "SIZE"
    )]
    max_file_size: Option<ByteSize>,
    /// Addresses of proxies whose X-Forwarded-For is trusted, separated by commas
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_TRUSTED_PROXIES", value_name = "ADDRESSES", value_delimiter = ',', value_parser = proxy)]
    trusted_proxies: Option<Vec<IpAddr>>,
    /// Accept passwords at POST /auth/token: on, off [default: on]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_PASSWORD_GRANT", value_name = "SWITCH", value_parser = named::<Toggle>)]
    password_grant: Option<Toggle>,
    /// Names of company, site and projects to refuse in passwords, separated by commas
    #[arg(
        long,
        global = true,
        hide_env_values = true,
        env = "STRONGROOM_CONTEXT_WORDS",
        value_name = "WORDS",
        value_delimiter = ','
    )]
    context_words: Option<Vec<String>>,
    /// TLS to a PostgreSQL on another machine: verified, url (the sslmode of its URL) [default:
    /// verified]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_DATABASE_TLS", value_name = "RULE", value_parser = named::<DatabaseTls>)]
    database_tls: Option<DatabaseTls>,
    /// Migrate the database on start: on, off (only `strongroom migrate` does) [default: on]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_DATABASE_MIGRATE", value_name = "SWITCH", value_parser = named::<Toggle>)]
    database_migrate: Option<Toggle>,
    /// Log format on standard error: human, json [default: human]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_LOG_FORMAT", value_name = "FORMAT", value_parser = named::<LogFormat>)]
    log_format: Option<LogFormat>,
    /// Log filter, such as info or server=debug [default: info]
    #[arg(
        long,
        global = true,
        hide_env_values = true,
        env = "STRONGROOM_LOG",
        value_name = "FILTER"
    )]
    log: Option<String>,
}

impl Settings {
    pub(crate) fn config(self) -> anyhow::Result<Config> {
        let file = self
            .config
            .as_deref()
            .map(ConfigSource::from_toml)
            .transpose()?
            .unwrap_or_default();
        let secret =
            |name: &str| env_check::variable(name).map(|value| value.map(SecretString::from));
        let flags = ConfigSource {
            listen: self.listen,
            data: self.data,
            public_url: self.public_url,
            database_url: secret("STRONGROOM_DATABASE_URL")?,
            database_url_file: env_check::variable("STRONGROOM_DATABASE_URL_FILE")?
                .map(PathBuf::from),
            database_tls: self.database_tls,
            database_migrate: self.database_migrate,
            secret_key: secret("SECRET_KEY")?,
            secret_key_file: env_check::variable("SECRET_KEY_FILE")?.map(PathBuf::from),
            trusted_proxies: self.trusted_proxies,
            max_file_size: self.max_file_size,
            password_grant: self.password_grant,
            registration: RegistrationSection {
                mode: self.registration,
                role: self.registration_role,
            },
            passwords: PasswordSection {
                context_words: self.context_words,
                ..PasswordSection::default()
            },
            log: LogSection {
                format: self.log_format,
                filter: self.log,
            },
            ..ConfigSource::default()
        };
        Ok(flags.or_else(file).resolve()?)
    }
}
