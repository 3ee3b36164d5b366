//! Settings: flags, then environment, then the TOML file, then defaults. Read once, in `main`.

mod byte_size;
mod clients;
mod database;
mod error;
pub mod factors;
pub mod keys;
mod layers;
pub mod mail;
pub mod passwords;
mod providers;
mod reach;
mod secret;
mod security_contact;
mod sessions;
mod source;
mod values;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use auth::{
    Role,
    factor::FactorRules,
    keys::ring::KeyRules,
    settings::{HashingCost, StepUpRules},
};
use secrecy::{ExposeSecret, SecretString};

use reach::{default_url, exposure, missing_mode_message, public_url};
use secret::read_secret;

pub use byte_size::ByteSize;
pub use clients::ClientSection;
pub use database::{DatabaseConfig, DatabaseTls};
pub use error::ConfigError;
pub use keys::KeysSection;
pub use providers::{Icon, ProviderSection, Providers};
pub use security_contact::SecurityContact;
pub use sessions::{SessionRules, SessionsSection};
pub use source::{ConfigSource, HashingSection, LogSection, RegistrationSection};
pub use values::{DefaultRole, LogFormat, RegistrationMode, Toggle};

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
    /// Opens `/metrics` to a reader that sends it.
    pub metrics_token: Option<SecretString>,
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
    /// The data folder, and that of the database if it is a file elsewhere.
    pub(crate) fn written_folders(&self) -> Vec<&Path> {
        let url = self.database.url.as_ref().map(ExposeSecret::expose_secret);
        let elsewhere = url
            .and_then(|url| url.strip_prefix("sqlite://"))
            .and_then(|path| Path::new(path).parent())
            .filter(|folder| !folder.as_os_str().is_empty());
        std::iter::once(&*self.data).chain(elsewhere).collect()
    }

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
            metrics_token: secret::metrics_token(read_secret(
                self.metrics_token,
                self.metrics_token_file.as_deref(),
            )?)?,
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
            default_role: self.registration.role.unwrap_or(DefaultRole::Editor).role(),
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

#[cfg(test)]
mod tests;
