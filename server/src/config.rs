//! Settings: flags, then environment, then the TOML file, then defaults. Read once, in `main`.

mod clients;
mod database;
pub mod factors;
pub mod keys;
pub mod mail;
pub mod passwords;
mod providers;
mod sessions;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use auth::{
    Role,
    factor::FactorRules,
    keys::ring::KeyRules,
    service::{HashingCost, StepUpRules},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::host;

pub use clients::ClientSection;
pub use database::{DatabaseRules, DatabaseTls};
pub use keys::KeysSection;
pub use providers::{Icon, ProviderSection, Providers};
pub use sessions::{SessionRules, SessionsSection};

/// What one source says; what it leaves out comes from the next.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Partial {
    /// Upstream providers that people may sign in with.
    pub providers: Option<Vec<ProviderSection>>,
    /// Programs that may ask people for access.
    pub clients: Option<Vec<ClientSection>>,
    pub listen: Option<SocketAddr>,
    pub data: Option<PathBuf>,
    /// Where people reach it, `https://files.example.org`.
    pub public_url: Option<String>,
    pub database_url: Option<SecretString>,
    pub database_url_file: Option<PathBuf>,
    /// Whether a PostgreSQL elsewhere must be reached over verified TLS, or as its URL says.
    pub database_tls: Option<DatabaseTls>,
    /// Whether tables are changed by whatever opens the database, or by `strongroom migrate` alone.
    pub database_migrate: Option<Switch>,
    pub secret_key: Option<SecretString>,
    pub secret_key_file: Option<PathBuf>,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Option<Vec<IpAddr>>,
    pub max_file_size: Option<ByteSize>,
    pub password_grant: Option<Switch>,
    pub registration: RegistrationPartial,
    pub hashing: HashingPartial,
    pub log: LogPartial,
    pub mail: Option<mail::MailSection>,
    pub passwords: passwords::PasswordSection,
    pub sessions: Option<SessionsSection>,
    pub keys: Option<KeysSection>,
    pub factors: Option<factors::FactorsSection>,
    pub step_up: Option<factors::StepUpSection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrationPartial {
    pub mode: Option<RegistrationMode>,
    /// What a new account may do in the vault `main`: `viewer`, `editor`, `manager` or `none`.
    pub role: Option<FirstRole>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HashingPartial {
    pub memory_kib: Option<u32>,
    pub passes: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogPartial {
    pub format: Option<LogFormat>,
    /// As `RUST_LOG`: `info`, `server=debug`.
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
pub enum FirstRole {
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
pub enum Switch {
    On,
    Off,
}

/// Bytes; written as a number, or with `KiB`, `MiB`, `GiB`, `TiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub u64);

impl std::str::FromStr for ByteSize {
    type Err = ConfigError;

    fn from_str(raw: &str) -> Result<Self, ConfigError> {
        let bad = || {
            ConfigError(format!(
                "\"{raw}\" is no size: write 500MiB, 10GiB, or a number of bytes"
            ))
        };
        let digits = raw.find(|c: char| !c.is_ascii_digit()).unwrap_or(raw.len());
        let (number, unit) = raw.split_at(digits);
        let shift = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kib" => 10,
            "m" | "mib" => 20,
            "g" | "gib" => 30,
            "t" | "tib" => 40,
            _ => return Err(bad()),
        };
        let number: u64 = number.parse().map_err(|_| bad())?;
        number.checked_mul(1 << shift).map(Self).ok_or_else(bad)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Number(u64),
            Text(String),
        }
        match Raw::deserialize(from)? {
            Raw::Number(bytes) => Ok(Self(bytes)),
            Raw::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Everything decided.
#[derive(Debug)]
pub struct Config {
    pub providers: Providers,
    pub clients: auth::Clients,
    pub listen: SocketAddr,
    pub data: PathBuf,
    pub public_url: String,
    pub database: DatabaseRules,
    pub secret_key: Option<SecretString>,
    pub trusted_proxies: Vec<IpAddr>,
    pub max_file_size: u64,
    pub password_grant: Switch,
    pub registration: RegistrationMode,
    /// Why nothing is served before somebody has said who may register.
    pub unsaid: Option<String>,
    pub first_role: Option<Role>,
    pub hashing: HashingCost,
    pub mail: Option<mail::Mail>,
    pub factors: FactorRules,
    pub step_up: StepUpRules,
    pub passwords: passwords::PasswordSection,
    pub log_format: LogFormat,
    pub log_filter: String,
    pub sessions: SessionRules,
    pub keys: KeyRules,
}

impl Config {
    /// Whether nobody said what people type to get here.
    #[must_use]
    pub fn guesses_its_url(&self) -> bool {
        self.public_url == own_url(self.listen)
    }

    /// With the address that the system gave, where it was left the choice of the port (0).
    #[must_use]
    pub fn listening_on(self, address: SocketAddr) -> Self {
        let public_url = if self.guesses_its_url() {
            own_url(address)
        } else {
            self.public_url
        };
        Self {
            listen: address,
            providers: self.providers.reached_at(&public_url),
            public_url,
            ..self
        }
    }
}

impl Partial {
    /// # Errors
    /// A sentence that names the file and the key.
    pub fn from_toml(path: &std::path::Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError(format!("cannot read {}: {error}", path.display())))?;
        // Not the error as it prints itself: that shows the line, which may hold a secret.
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

    /// What `self` says, and where it says nothing, what `next` does.
    #[must_use]
    pub fn or(self, next: Self) -> Self {
        // A secret and its file are one setting: a source that names either hides both of the next one.
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
            registration: RegistrationPartial {
                mode: self.registration.mode.or(next.registration.mode),
                role: self.registration.role.or(next.registration.role),
            },
            hashing: HashingPartial {
                memory_kib: self.hashing.memory_kib.or(next.hashing.memory_kib),
                passes: self.hashing.passes.or(next.hashing.passes),
            },
            log: LogPartial {
                format: self.log.format.or(next.log.format),
                filter: self.log.filter.or(next.log.filter),
            },
            mail: self.mail.or(next.mail),
            passwords: self.passwords.or(next.passwords),
            sessions: self.sessions.or(next.sessions),
            keys: self.keys.or(next.keys),
            factors: self.factors.or(next.factors),
            step_up: self.step_up.or(next.step_up),
        }
    }

    /// Fills in defaults, reads secret files, and refuses what would be unsafe.
    ///
    /// # Errors
    /// A sentence that says what to write where.
    pub fn decide(self) -> Result<Config, ConfigError> {
        let listen = self
            .listen
            .unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)));
        let way = reached_from_elsewhere(
            listen,
            self.public_url.as_deref(),
            self.trusted_proxies.as_deref(),
        );
        let hashing = HashingCost {
            memory_kib: self.hashing.memory_kib.unwrap_or(64 * 1024),
            passes: self.hashing.passes.unwrap_or(3),
            lanes: 1,
        };
        // Above, one sign-in would take the machine's memory, or minutes.
        if !(19 * 1024..=4 << 20).contains(&hashing.memory_kib)
            || !(2..=64).contains(&hashing.passes)
        {
            let sentence = "hashing.memory_kib is between 19456 and 4194304, and hashing.passes between 2 and 64.";
            return Err(ConfigError(sentence.to_owned()));
        }
        let mail = self
            .mail
            .map(|mail| mail.decide(self.public_url.as_deref()))
            .transpose()?;
        let public_url = public_url(self.public_url, listen)?;
        Ok(Config {
            clients: clients::decide(self.clients.unwrap_or_default())?,
            providers: providers::decide(self.providers.unwrap_or_default(), &public_url)?,
            listen,
            data: self
                .data
                .unwrap_or_else(|| PathBuf::from("strongroom-data")),
            public_url,
            database: DatabaseRules {
                url: secret(self.database_url, self.database_url_file.as_deref())?,
                tls: self.database_tls.unwrap_or(DatabaseTls::Verified),
                migrate: self.database_migrate.unwrap_or(Switch::On),
            },
            secret_key: secret(self.secret_key, self.secret_key_file.as_deref())?,
            trusted_proxies: self.trusted_proxies.unwrap_or_default(),
            max_file_size: self.max_file_size.map_or(10 << 30, |size| size.0),
            password_grant: self.password_grant.unwrap_or(Switch::On),
            registration: self.registration.mode.unwrap_or(RegistrationMode::Open),
            unsaid: way
                .filter(|_| self.registration.mode.is_none())
                .map(|way| exposed(&way)),
            first_role: match self.registration.role.unwrap_or(FirstRole::Editor) {
                FirstRole::None => None,
                FirstRole::Viewer => Some(Role::Viewer),
                FirstRole::Editor => Some(Role::Editor),
                FirstRole::Manager => Some(Role::Manager),
            },
            hashing,
            mail,
            factors: self.factors.unwrap_or_default().decide(),
            step_up: self.step_up.unwrap_or_default().decide()?,
            passwords: self.passwords,
            log_format: self.log.format.unwrap_or(LogFormat::Human),
            log_filter: self.log.filter.unwrap_or_else(|| "info".to_owned()),
            sessions: self.sessions.unwrap_or_default().decide()?,
            keys: self.keys.unwrap_or_default().decide()?,
        })
    }
}

/// How others get here, if they do: directly, or through a proxy on this machine.
fn reached_from_elsewhere(
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
        Some(url) if !is_here(&host::of_url(url)) => Some(format!("would be reached at {url}")),
        _ => proxies
            .is_some_and(|proxies| !proxies.is_empty())
            .then(|| "would stand behind a proxy".to_owned()),
    }
}

fn exposed(way: &str) -> String {
    format!(
        "Strongroom {way}, where others can reach it, and nobody has said who may register. \
         Set registration.mode (or STRONGROOM_REGISTRATION, or --registration) to \"closed\" to make accounts yourself, \
         or to \"open\" if everybody who can reach this address may have one."
    )
}

/// Where a browser on this machine finds it.
fn own_url(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        format!("http://localhost:{}", listen.port())
    } else {
        format!("http://{listen}")
    }
}

fn public_url(given: Option<String>, listen: SocketAddr) -> Result<String, ConfigError> {
    let Some(url) = given else {
        return Ok(own_url(listen));
    };
    let url = url.trim_end_matches('/').to_owned();
    let fits = url.split_once("://").is_some_and(|(scheme, host)| {
        matches!(scheme, "http" | "https")
            && !host.contains('@')
            && host.parse::<http::uri::Authority>().is_ok()
    });
    if fits {
        Ok(url)
    } else {
        let shown = url.escape_default();
        Err(ConfigError(format!(
            "public_url is a scheme and a host, like https://files.example.org, not \"{shown}\"."
        )))
    }
}

fn secret(
    value: Option<SecretString>,
    file: Option<&std::path::Path>,
) -> Result<Option<SecretString>, ConfigError> {
    match (value, file) {
        (Some(_), Some(path)) => Err(ConfigError(format!(
            "a secret is given twice, as itself and as the file {}",
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

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

#[cfg(test)]
mod tests;
