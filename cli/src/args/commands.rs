//! The commands and their flags.

#![expect(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "clap prints these comments as the help text"
)]

use std::path::PathBuf;

use auth::store::NetworkPrefix;
use clap::{ArgGroup, Args, Subcommand};

use super::values::network;

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
    Add(AddUser),
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
    EndSessions(EndSessions),
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
pub(crate) struct AddUser {
    /// 1 to 64 of a-z 0-9 . _ - + @
    pub(crate) name: String,
    /// Make the account an administrator
    #[arg(long)]
    pub(crate) admin: bool,
    /// Name to show instead of the username
    #[arg(long, value_name = "NAME")]
    pub(crate) display_name: Option<String>,
    /// E-mail address, for the author line in git
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// Read the password from standard input instead of prompting for it
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Args, Debug)]
pub(crate) struct EndSessions {
    /// Username
    #[arg(required_unless_present = "everybody")]
    pub(crate) name: Option<String>,
    /// Sign out all accounts. Personal access tokens stay valid unless --tokens is given
    #[arg(long, conflicts_with = "name", requires = "reason")]
    pub(crate) everybody: bool,
    /// With --everybody: end all personal access tokens too
    #[arg(long, requires = "everybody")]
    pub(crate) tokens: bool,
    /// With --everybody: the reason, for the audit log
    #[arg(long, value_name = "TEXT", requires = "everybody")]
    pub(crate) reason: Option<String>,
}
