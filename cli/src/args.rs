//! Flags and environment.

#![expect(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "these comments are printed in a terminal as they stand"
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
    Config, Partial,
    config::{
        ByteSize, DatabaseTls, FirstRole, LogFormat, LogPartial, RegistrationMode,
        RegistrationPartial, Switch, passwords::PasswordSection,
    },
};

use crate::environment;
use values::{address, named, network, proxy};

/// The check-out server for files that nobody can merge.
///
/// Started without a command it serves on http://127.0.0.1:8000, keeps everything in ./strongroom-data, and
/// prints a link that makes the first administrator.
#[derive(Debug, Parser)]
#[command(version, about, long_about, after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What somebody typed; ends the program where that makes no sense, or was a call for help.
pub(crate) fn read() -> Arguments {
    let mut command = Arguments::command();
    // So that every command has the settings.
    command.build();
    let names: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for name in names {
        // Those that speak to a server somewhere else need none, and those on the data folder have to find it.
        let shown: &[&str] = match name.as_str() {
            "serve" => continue,
            "login" | "logout" | "whoami" => &[],
            // Their links lead to where people reach it.
            "user" => &["config", "data", "public_url", "log"],
            _ => &["config", "data", "log"],
        };
        command = command.mut_subcommand(name, |command| showing(shown, command));
    }
    let matches = command.get_matches();
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Without the other settings in its help, which `strongroom --help` tells of, and they are still taken.
fn showing(shown: &[&str], command: clap::Command) -> clap::Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    let is_shown = |arg: &clap::Arg| !arg.is_global_set() || shown.contains(&arg.get_id().as_str());
    let command = command.mut_args(|arg| if is_shown(&arg) { arg } else { arg.hide(true) });
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |below| showing(shown, below))
    })
}

const AFTER: &str = "\
Settings come from flags, then the environment, then the TOML file (--config), then defaults.

Secrets have no flags, which everybody on the machine could read. They come from the environment or the TOML file:
  STRONGROOM_DATABASE_URL   postgres://user:password@host/database [default: SQLite in the data folder]
  SECRET_KEY                seals what is secret, at least 32 bytes [default: made on the first start, in the data folder]
  ..._FILE                  behind either name: the file that holds it

Examples:
  strongroom                                         try it on this machine
  strongroom user add ada --admin                    make an administrator (asks for the password)
  strongroom --listen 0.0.0.0:8000 --registration closed serve
                                                     let others reach it; accounts are made by administrators
  strongroom user import users.csv                   bring accounts over: username,hashed_password,is_admin
  strongroom login https://files.example.org         sign this machine in to a server somewhere
  strongroom verify                                  check content, database, git and audit";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve (what happens without a command, too)
    Serve,
    /// Make, list, disable and bring over accounts; the server may be running or not
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// The keys that sign access tokens, and the master key that seals them
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Sign in to a server: shows a code that is typed in a browser, on any machine
    Login {
        /// https://files.example.org
        #[arg(value_name = "SERVER")]
        server: String,
        /// What it is to be able to do [default: files:read files:write locks:override]
        #[arg(long, value_name = "SCOPES")]
        scope: Option<String>,
    },
    /// End the sign-in of this machine, here and on the server
    Logout {
        /// Unless it is the last one that was signed in to
        #[arg(value_name = "SERVER")]
        server: Option<String>,
    },
    /// Say who is signed in, and what that may do
    Whoami {
        /// Unless it is the last one that was signed in to
        #[arg(value_name = "SERVER")]
        server: Option<String>,
    },
    /// Who was wrong too often with a password or code, and has to wait; the server may be running or not
    Throttle {
        #[command(subcommand)]
        command: ThrottleCommand,
    },
    /// The list of stolen passwords that new ones are looked up in
    Breach {
        #[command(subcommand)]
        command: BreachCommand,
    },
    /// Bring the tables of the database up to date, as an account that owns them: for servers with database_migrate off
    Migrate {
        /// The account of PostgreSQL that serves: it gets what it needs of every table, and no more
        #[arg(long, value_name = "ROLE")]
        grant_to: Option<String>,
    },
    /// Check content, database, git and audit, file by file; the server may be running or not
    Verify,
    /// What happened: check that nobody edited it, or write it out; the server may be running or not
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Find entries that were edited or taken out
    Verify,
    /// Write entries to standard output, a line of JSON each, oldest first in each chain
    Export {
        /// accounts, or a vault's name [default: all, one after the other]
        #[arg(long, value_name = "NAME")]
        chain: Option<String>,
        /// Leave out what happened before, 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<jiff::Timestamp>,
        /// Go on with what happens from now on, until Ctrl-C
        #[arg(long)]
        follow: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BreachCommand {
    /// Make it from a list of Pwned Passwords: lines of a SHA-1 hash, a colon and a number, in any order
    ///
    /// It takes 6 bytes a password, and as much again while it is made. No password leaves the machine to be looked up.
    Build {
        /// The list, as downloaded
        #[arg(value_name = "LIST.txt")]
        list: PathBuf,
        /// The file to write
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List keys: what signs, and what still verifies
    List,
    /// Let a new key sign. The old one verifies until its tokens die, so nobody notices; a running server follows within
    /// a second
    Rotate {
        /// Forget old keys at once: every access token handed out so far ends, and programs refresh theirs
        #[arg(long)]
        end_tokens: bool,
    },
    /// Put another master key in the place of one that somebody else may have. Everything that is sealed under it is
    /// sealed anew, and everybody signs in as before; no server may be running
    ReplaceMaster {
        /// Where the new key is, or is made, if the key comes from SECRET_KEY or SECRET_KEY_FILE
        #[arg(long, value_name = "FILE")]
        new_key_file: Option<PathBuf>,
        /// Forget old signing keys at once, for when somebody may have the database too: every access token handed out
        /// so far ends, and programs refresh theirs
        #[arg(long)]
        end_tokens: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ThrottleCommand {
    /// List accounts and networks with too many failures in a row
    List,
    /// Forget failures, so that the next try is taken
    #[command(group = ArgGroup::new("whose").required(true))]
    Lift {
        /// The account's username
        #[arg(group = "whose")]
        name: Option<String>,
        /// An IPv4 address, any address of an IPv6 /64, or an IPv6 /48 as the list shows it
        #[arg(long, group = "whose", value_name = "ADDRESS", value_parser = network)]
        address: Option<NetworkPrefix>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account
    Add {
        /// 1 to 64 of a-z 0-9 . _ - + @
        name: String,
        /// Make it an administrator
        #[arg(long)]
        admin: bool,
        /// What people read instead of the username
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
        /// For the author line in git
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Read the password from standard input instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// List accounts
    List,
    /// Disable an account: it cannot sign in, and all its sessions end within a second
    Disable {
        /// The account's username
        name: String,
    },
    /// Enable a disabled account
    Enable {
        /// The account's username
        name: String,
    },
    /// Print a link that makes an account, once, within 3 days; whoever has it chooses name and password
    Invite {
        /// What the account may do: main=editor; once for each vault
        #[arg(long = "role", value_name = "VAULT=ROLE")]
        roles: Vec<String>,
        /// The account gets this address, not verified
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
    },
    /// Make an account an administrator
    Promote {
        /// The account's username
        name: String,
    },
    /// Take an account's administrator rights away; the last administrator stays
    Demote {
        /// The account's username
        name: String,
    },
    /// Sign an account out everywhere, personal tokens too; or everybody
    EndSessions {
        /// The account's username
        #[arg(required_unless_present = "everybody")]
        name: Option<String>,
        /// All accounts instead of one; personal access tokens go on, but with --tokens
        #[arg(long, conflicts_with = "name", requires = "reason")]
        everybody: bool,
        /// End everybody's personal access tokens too
        #[arg(long, requires = "everybody")]
        tokens: bool,
        /// Why everybody, for the audit
        #[arg(long, value_name = "TEXT", requires = "everybody")]
        reason: Option<String>,
    },
    /// Take all second factors of an account away, for somebody who has lost them; all its sessions end
    Recover {
        /// The account's username
        name: String,
        /// Why, for the audit
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Print a link that sets a new password, once, within 30 minutes
    Reset {
        /// The account's username
        name: String,
        /// End every session and refuse the present password from now on
        #[arg(long)]
        require: bool,
    },
    /// Bring accounts over from a CSV file with the columns username,hashed_password,is_admin
    ///
    /// Takes bcrypt hashes (passlib's $2a$, $2b$, $2y$) and Argon2id hashes; people sign in with the password they have.
    Import {
        /// The first line names the columns; others than these three are left alone
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
    /// Folder of everything that is kept [default: strongroom-data]
    #[arg(
        long,
        global = true,
        hide_env_values = true,
        env = "STRONGROOM_DATA",
        value_name = "FOLDER"
    )]
    data: Option<PathBuf>,
    /// Where people reach it, https://files.example.org [default: http:// and the address]
    #[arg(
        long,
        global = true,
        hide_env_values = true,
        env = "STRONGROOM_PUBLIC_URL",
        value_name = "URL"
    )]
    public_url: Option<String>,
    /// Who may register: open, closed, invite (with an invitation only) [default: open where only this machine
    /// reaches it; must be said elsewhere]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_REGISTRATION", value_name = "MODE", value_parser = named::<RegistrationMode>)]
    registration: Option<RegistrationMode>,
    /// Role of new accounts in the vault main: viewer, editor, manager, none [default: editor]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_REGISTRATION_ROLE", value_name = "ROLE", value_parser = named::<FirstRole>)]
    registration_role: Option<FirstRole>,
    /// Largest file, 500MiB or 10GiB [default: 10GiB]
    #[arg(
        long,
        global = true,
        hide_env_values = true,
        env = "STRONGROOM_MAX_FILE_SIZE",
        value_name = "SIZE"
    )]
    max_file_size: Option<ByteSize>,
    /// Addresses of proxies whose X-Forwarded-For is believed, separated by commas
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_TRUSTED_PROXIES", value_name = "ADDRESSES", value_delimiter = ',', value_parser = proxy)]
    trusted_proxies: Option<Vec<IpAddr>>,
    /// Whether POST /auth/token takes passwords: on, off [default: on]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_PASSWORD_GRANT", value_name = "SWITCH", value_parser = named::<Switch>)]
    password_grant: Option<Switch>,
    /// Names that everybody here knows, separated by commas: no password is made of them
    #[arg(
        long,
        global = true,
        hide_env_values = true,
        env = "STRONGROOM_CONTEXT_WORDS",
        value_name = "WORDS",
        value_delimiter = ','
    )]
    context_words: Option<Vec<String>>,
    /// Whether a PostgreSQL on another machine must be reached over verified TLS, or as its URL says: verified, url
    /// [default: verified]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_DATABASE_TLS", value_name = "RULE", value_parser = named::<DatabaseTls>)]
    database_tls: Option<DatabaseTls>,
    /// Whether tables are brought up to date on the start, or by `strongroom migrate` only: on, off [default: on]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_DATABASE_MIGRATE", value_name = "SWITCH", value_parser = named::<Switch>)]
    database_migrate: Option<Switch>,
    /// How logs look on standard error: human, json [default: human]
    #[arg(long, global = true, hide_env_values = true, env = "STRONGROOM_LOG_FORMAT", value_name = "FORMAT", value_parser = named::<LogFormat>)]
    log_format: Option<LogFormat>,
    /// What is logged, info or server=debug [default: info]
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
            .map(Partial::from_toml)
            .transpose()?
            .unwrap_or_default();
        let secret =
            |name: &str| environment::variable(name).map(|value| value.map(SecretString::from));
        let flags = Partial {
            listen: self.listen,
            data: self.data,
            public_url: self.public_url,
            database_url: secret("STRONGROOM_DATABASE_URL")?,
            database_url_file: environment::variable("STRONGROOM_DATABASE_URL_FILE")?
                .map(PathBuf::from),
            database_tls: self.database_tls,
            database_migrate: self.database_migrate,
            secret_key: secret("SECRET_KEY")?,
            secret_key_file: environment::variable("SECRET_KEY_FILE")?.map(PathBuf::from),
            trusted_proxies: self.trusted_proxies,
            max_file_size: self.max_file_size,
            password_grant: self.password_grant,
            registration: RegistrationPartial {
                mode: self.registration,
                role: self.registration_role,
            },
            passwords: PasswordSection {
                context_words: self.context_words,
                ..PasswordSection::default()
            },
            log: LogPartial {
                format: self.log_format,
                filter: self.log,
            },
            ..Partial::default()
        };
        Ok(flags.or(file).decide()?)
    }
}
