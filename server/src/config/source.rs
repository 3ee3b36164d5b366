//! The settings of one source: the flags with the environment, or the TOML file.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use auth::settings::HashingCost;
use secrecy::SecretString;
use serde::Deserialize;

use super::layers::first_of;
use super::{
    ByteSize, ClientSection, ConfigError, DatabaseTls, DefaultRole, KeysSection, LogFormat,
    ProviderSection, RegistrationMode, SessionsSection, Toggle, factors, mail, passwords,
};

/// The settings of one source. Absent values come from the next source.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigSource {
    /// Upstream providers for sign-in.
    pub providers: Option<Vec<ProviderSection>>,
    /// Registered OAuth clients.
    pub clients: Option<Vec<ClientSection>>,
    pub listen: Option<SocketAddr>,
    pub data: Option<PathBuf>,
    /// The public URL, such as `https://files.example.org`.
    pub public_url: Option<String>,
    pub database_url: Option<SecretString>,
    pub database_url_file: Option<PathBuf>,
    /// Whether PostgreSQL on another machine requires verified TLS, or its URL decides.
    pub database_tls: Option<DatabaseTls>,
    /// Whether the server applies migrations, or only `strongroom migrate` does.
    pub database_migrate: Option<Toggle>,
    pub secret_key: Option<SecretString>,
    pub secret_key_file: Option<PathBuf>,
    /// IP addresses of proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Option<Vec<IpAddr>>,
    /// What a reader of `/metrics` sends as its bearer token.
    pub metrics_token: Option<SecretString>,
    pub metrics_token_file: Option<PathBuf>,
    pub max_file_size: Option<ByteSize>,
    pub password_grant: Option<Toggle>,
    /// Where vulnerabilities are reported: an e-mail address or an `https` URL.
    pub security_contact: Option<String>,
    pub registration: RegistrationSection,
    pub hashing: HashingSection,
    pub log: LogSection,
    pub mail: Option<mail::MailSection>,
    pub passwords: passwords::PasswordSection,
    pub sessions: Option<SessionsSection>,
    pub keys: Option<KeysSection>,
    pub factors: Option<factors::FactorsSection>,
    pub step_up: Option<factors::StepUpSection>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrationSection {
    pub mode: Option<RegistrationMode>,
    /// The role of a new account in the vault `main`: `viewer`, `editor`, `manager` or `none`.
    pub role: Option<DefaultRole>,
}

impl RegistrationSection {
    fn or(self, next: Self) -> Self {
        first_of!(self, next: mode, role)
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HashingSection {
    pub memory_kib: Option<u32>,
    pub passes: Option<u32>,
}

impl HashingSection {
    fn or(self, next: Self) -> Self {
        first_of!(self, next: memory_kib, passes)
    }

    /// Higher values would exhaust the memory of the machine or take minutes for one sign-in.
    pub(super) fn resolve(self) -> Result<HashingCost, ConfigError> {
        let cost = HashingCost {
            memory_kib: self.memory_kib.unwrap_or(64 * 1024),
            passes: self.passes.unwrap_or(3),
            lanes: 1,
        };
        if (19 * 1024..=4 << 20).contains(&cost.memory_kib) && (2..=64).contains(&cost.passes) {
            return Ok(cost);
        }
        let message = "hashing.memory_kib must be between 19456 and 4194304, and hashing.passes between 2 and 64.";
        Err(ConfigError(message.to_owned()))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    pub format: Option<LogFormat>,
    /// In the syntax of `RUST_LOG`: `info`, `server=debug`.
    pub filter: Option<String>,
}

impl LogSection {
    fn or(self, next: Self) -> Self {
        first_of!(self, next: format, filter)
    }
}

impl ConfigSource {
    /// # Errors
    /// A message that names the file and the key.
    pub fn from_toml(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError(format!("cannot read {}: {error}", path.display())))?;
        // The error's own output is not used: it quotes the line, which may contain a secret.
        let bad = |error: toml::de::Error| {
            let before = error
                .span()
                .and_then(|span| text.get(..span.start))
                .unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            ConfigError(format!(
                "{}, line {line}: {}",
                path.display(),
                error.message()
            ))
        };
        toml::from_str(&text).map_err(bad)
    }

    /// Takes each value from `self`, or else from `next`. A secret and its file are one setting: a
    /// source that sets either overrides both of the next source.
    #[must_use]
    pub fn or_else(self, mut next: Self) -> Self {
        if self.secret_key.is_some() || self.secret_key_file.is_some() {
            (next.secret_key, next.secret_key_file) = (None, None);
        }
        if self.database_url.is_some() || self.database_url_file.is_some() {
            (next.database_url, next.database_url_file) = (None, None);
        }
        if self.metrics_token.is_some() || self.metrics_token_file.is_some() {
            (next.metrics_token, next.metrics_token_file) = (None, None);
        }
        first_of!(self, next:
            providers, clients, listen, data, public_url, database_url, database_url_file,
            database_tls, database_migrate, secret_key, secret_key_file, trusted_proxies,
            metrics_token, metrics_token_file, max_file_size, password_grant, security_contact, registration,
            hashing, log, mail, passwords, sessions, keys, factors, step_up,
        )
    }
}
