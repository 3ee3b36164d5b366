//! The settings that every command takes, and the environment that supplies them.

#![expect(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "clap prints these comments as the help text"
)]

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::Args;
use secrecy::SecretString;
use server::{
    Config, ConfigSource,
    config::{
        ByteSize, DatabaseTls, DefaultRole, LogFormat, LogSection, RegistrationMode,
        RegistrationSection, Toggle, passwords::PasswordSection,
    },
};

use super::values::{address, named, proxy};
use crate::env_check;

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
    /// Where vulnerabilities are reported, for /.well-known/security.txt: an e-mail address or an
    /// https URL [default: none]
    #[arg(
        long,
        global = true,
        hide_env_values = true,
        env = "STRONGROOM_SECURITY_CONTACT",
        value_name = "CONTACT"
    )]
    security_contact: Option<String>,
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
        let file_path = |name: &str| env_check::variable(name).map(|path| path.map(PathBuf::from));
        let flags = ConfigSource {
            listen: self.listen,
            data: self.data,
            public_url: self.public_url,
            database_url: secret("STRONGROOM_DATABASE_URL")?,
            database_url_file: file_path("STRONGROOM_DATABASE_URL_FILE")?,
            database_tls: self.database_tls,
            database_migrate: self.database_migrate,
            secret_key: secret("SECRET_KEY")?,
            secret_key_file: file_path("SECRET_KEY_FILE")?,
            trusted_proxies: self.trusted_proxies,
            metrics_token: secret("STRONGROOM_METRICS_TOKEN")?,
            metrics_token_file: file_path("STRONGROOM_METRICS_TOKEN_FILE")?,
            max_file_size: self.max_file_size,
            password_grant: self.password_grant,
            security_contact: self.security_contact,
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
