//! Settings: flags, then environment, then the TOML file, then defaults. Read once, in `main`.

mod byte_size;
mod clients;
mod database;
pub mod factors;
pub mod keys;
pub mod mail;
pub mod passwords;
mod providers;
mod security_contact;
mod sessions;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use auth::{
    Role,
    factor::FactorRules,
    keys::ring::KeyRules,
    settings::{HashingCost, StepUpRules},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::url_host::host_of;

pub use byte_size::ByteSize;
pub use clients::ClientSection;
pub use database::{DatabaseConfig, DatabaseTls};
pub use keys::KeysSection;
pub use providers::{Icon, ProviderSection, Providers};
pub use security_contact::SecurityContact;
pub use sessions::{SessionRules, SessionsSection};

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

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrationSection {
    pub mode: Option<RegistrationMode>,
    /// The role of a new account in the vault `main`: `viewer`, `editor`, `manager` or `none`.
    pub role: Option<DefaultRole>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HashingSection {
    pub memory_kib: Option<u32>,
    pub passes: Option<u32>,
}

impl HashingSection {
    /// Higher values would exhaust the memory of the machine or take minutes for one sign-in.
    fn resolve(&self) -> Result<HashingCost, ConfigError> {
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationMode {
    Open,
    Invite,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefaultRole {
    None,
    Viewer,
    Editor,
    Manager,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Toggle {
    On,
    Off,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// The resolved settings.
#[derive(Debug)]
pub struct Config {
    pub providers: Providers,
    pub clients: auth::Clients,
    pub listen: SocketAddr,
    pub data: PathBuf,
    pub public_url: String,
    pub database: DatabaseConfig,
    pub secret_key: Option<SecretString>,
    pub trusted_proxies: Vec<IpAddr>,
    pub max_file_size: u64,
    pub password_grant: Toggle,
    pub security_contact: Option<SecurityContact>,
    pub registration: RegistrationMode,
    /// The error that prevents the start: others can reach the server and no registration mode is
    /// set.
    pub missing_registration_mode: Option<String>,
    pub default_role: Option<Role>,
    pub hashing: HashingCost,
    pub mail: Option<mail::MailConfig>,
    pub factors: FactorRules,
    pub step_up: StepUpRules,
    pub passwords: passwords::PasswordSection,
    pub log_format: LogFormat,
    pub log_filter: String,
    pub sessions: SessionRules,
    pub keys: KeyRules,
}

impl Config {
    /// Whether the public URL is a default derived from the listen address.
    #[must_use]
    pub fn has_default_url(&self) -> bool {
        self.public_url == default_url(self.listen)
    }

    /// Updates the public URL after the system has chosen a port (port 0).
    #[must_use]
    pub fn with_listen_address(self, address: SocketAddr) -> Self {
        let public_url = if self.has_default_url() {
            default_url(address)
        } else {
            self.public_url
        };
        Self {
            listen: address,
            providers: self.providers.with_public_url(&public_url),
            public_url,
            ..self
        }
    }
}

impl ConfigSource {
    /// # Errors
    /// A message that names the file and the key.
    pub fn from_toml(path: &std::path::Path) -> Result<Self, ConfigError> {
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

    /// Takes each value from `self`, or else from `next`.
    #[must_use]
    pub fn or_else(self, next: Self) -> Self {
        // A secret and its file are one setting: a source that sets either overrides both of the
        // next source.
        let own_key = self.secret_key.is_some() || self.secret_key_file.is_some();
        let own_database = self.database_url.is_some() || self.database_url_file.is_some();
        Self {
            providers: self.providers.or(next.providers),
            clients: self.clients.or(next.clients),
            listen: self.listen.or(next.listen),
            data: self.data.or(next.data),
            public_url: self.public_url.or(next.public_url),
            database_url: self
                .database_url
                .or(next.database_url.filter(|_| !own_database)),
            database_url_file: self
                .database_url_file
                .or(next.database_url_file.filter(|_| !own_database)),
            database_tls: self.database_tls.or(next.database_tls),
            database_migrate: self.database_migrate.or(next.database_migrate),
            secret_key: self.secret_key.or(next.secret_key.filter(|_| !own_key)),
            secret_key_file: self
                .secret_key_file
                .or(next.secret_key_file.filter(|_| !own_key)),
            trusted_proxies: self.trusted_proxies.or(next.trusted_proxies),
            max_file_size: self.max_file_size.or(next.max_file_size),
            password_grant: self.password_grant.or(next.password_grant),
            security_contact: self.security_contact.or(next.security_contact),
            registration: RegistrationSection {
                mode: self.registration.mode.or(next.registration.mode),
                role: self.registration.role.or(next.registration.role),
            },
            hashing: HashingSection {
                memory_kib: self.hashing.memory_kib.or(next.hashing.memory_kib),
                passes: self.hashing.passes.or(next.hashing.passes),
            },
            log: LogSection {
                format: self.log.format.or(next.log.format),
                filter: self.log.filter.or(next.log.filter),
            },
            mail: self.mail.or(next.mail),
            passwords: self.passwords.or_else(next.passwords),
            sessions: self.sessions.or(next.sessions),
            keys: self.keys.or(next.keys),
            factors: self.factors.or(next.factors),
            step_up: self.step_up.or(next.step_up),
        }
    }

    /// Applies defaults, reads secret files, and rejects unsafe settings.
    ///
    /// # Errors
    /// A message that names the key to change.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let listen = self
            .listen
            .unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)));
        let exposure = exposure(
            listen,
            self.public_url.as_deref(),
            self.trusted_proxies.as_deref(),
        );
        let hashing = self.hashing.resolve()?;
        let mail = self
            .mail
            .map(|mail| mail.resolve(self.public_url.as_deref()))
            .transpose()?;
        let public_url = public_url(self.public_url, listen)?;
        Ok(Config {
            clients: clients::resolve(self.clients.unwrap_or_default())?,
            providers: providers::resolve(self.providers.unwrap_or_default(), &public_url)?,
            listen,
            data: self
                .data
                .unwrap_or_else(|| PathBuf::from("strongroom-data")),
            public_url,
            database: DatabaseConfig {
                url: read_secret(self.database_url, self.database_url_file.as_deref())?,
                tls: self.database_tls.unwrap_or(DatabaseTls::Verified),
                migrate: self.database_migrate.unwrap_or(Toggle::On),
            },
            secret_key: read_secret(self.secret_key, self.secret_key_file.as_deref())?,
            trusted_proxies: self.trusted_proxies.unwrap_or_default(),
            max_file_size: self.max_file_size.map_or(10 << 30, |size| size.0),
            password_grant: self.password_grant.unwrap_or(Toggle::On),
            security_contact: self
                .security_contact
                .map(|contact| SecurityContact::parse(&contact))
                .transpose()?,
            registration: self.registration.mode.unwrap_or(RegistrationMode::Open),
            missing_registration_mode: exposure
                .filter(|_| self.registration.mode.is_none())
                .map(|exposure| missing_mode_message(&exposure)),
            default_role: match self.registration.role.unwrap_or(DefaultRole::Editor) {
                DefaultRole::None => None,
                DefaultRole::Viewer => Some(Role::Viewer),
                DefaultRole::Editor => Some(Role::Editor),
                DefaultRole::Manager => Some(Role::Manager),
            },
            hashing,
            mail,
            factors: self.factors.unwrap_or_default().resolve(),
            step_up: self.step_up.unwrap_or_default().resolve()?,
            passwords: self.passwords,
            log_format: self.log.format.unwrap_or(LogFormat::Human),
            log_filter: self.log.filter.unwrap_or_else(|| "info".to_owned()),
            sessions: self.sessions.unwrap_or_default().resolve()?,
            keys: self.keys.unwrap_or_default().resolve()?,
        })
    }
}

/// How other machines can reach the server, directly or through a proxy on this machine. `None` if
/// they cannot.
fn exposure(
    listen: SocketAddr,
    public_url: Option<&str>,
    proxies: Option<&[IpAddr]>,
) -> Option<String> {
    if !listen.ip().is_loopback() {
        return Some(format!("would listen on {listen}"));
    }
    let is_here = |host: &str| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || bare
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    };
    match public_url {
        Some(url) if !is_here(&host_of(url)) => Some(format!("would be reachable at {url}")),
        _ => proxies
            .is_some_and(|proxies| !proxies.is_empty())
            .then(|| "would run behind a proxy".to_owned()),
    }
}

fn missing_mode_message(exposure: &str) -> String {
    format!(
        "Strongroom {exposure}, where others can reach it, but no registration mode is set. \
         Set registration.mode (or STRONGROOM_REGISTRATION, or --registration) to \"closed\" to create accounts yourself, \
         or to \"open\" if anyone who can reach this address may register."
    )
}

/// The URL for a browser on this machine.
fn default_url(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        format!("http://localhost:{}", listen.port())
    } else {
        format!("http://{listen}")
    }
}

fn public_url(configured: Option<String>, listen: SocketAddr) -> Result<String, ConfigError> {
    let Some(url) = configured else {
        return Ok(default_url(listen));
    };
    let url = url.trim_end_matches('/').to_owned();
    let is_valid = url.split_once("://").is_some_and(|(scheme, host)| {
        matches!(scheme, "http" | "https")
            && !host.contains('@')
            && host.parse::<http::uri::Authority>().is_ok()
    });
    if is_valid {
        Ok(url)
    } else {
        let shown = url.escape_default();
        Err(ConfigError(format!(
            "public_url must be a scheme and a host, like https://files.example.org, not \"{shown}\"."
        )))
    }
}

fn read_secret(
    value: Option<SecretString>,
    file: Option<&std::path::Path>,
) -> Result<Option<SecretString>, ConfigError> {
    match (value, file) {
        (Some(_), Some(path)) => Err(ConfigError(format!(
            "a secret is given twice, as a value and as the file {}",
            path.display()
        ))),
        (Some(value), None) if value.expose_secret().is_empty() => Ok(None),
        (Some(value), None) => Ok(Some(value)),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| ConfigError(format!("cannot read {}: {error}", path.display())))?;
            Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned().into()))
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
