//! Stored credentials: `servers.json` in the configuration folder, mode 0600. A lock file
//! serializes access between processes, and writes are atomic.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use auth::Clock;
use durable_fs::Mode;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use wire::TokenResponse;

use super::{
    login::CLIENT_ID,
    server::{Response, Server},
    signed_out,
};

/// An access token with a shorter remaining lifetime is refreshed before use.
const REFRESH_MARGIN: Duration = Duration::from_secs(30);

/// A token. Has no `Debug` or `Display`, so it cannot be printed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredTokens {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Secret,
    expires_at: Timestamp,
}

impl StoredTokens {
    pub(super) fn of(tokens: TokenResponse) -> Self {
        let lifetime = SignedDuration::from_secs(i64::try_from(tokens.expires_in).unwrap_or(0));
        Self {
            access_token: Secret(tokens.access_token),
            refresh_token: Secret(tokens.refresh_token),
            expires_at: Clock::system()
                .now()
                .checked_add(lifetime)
                .unwrap_or(Timestamp::MIN),
        }
    }

    fn is_fresh(&self) -> bool {
        self.expires_at.duration_since(Clock::system().now())
            > SignedDuration::try_from(REFRESH_MARGIN).unwrap_or_default()
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Servers {
    /// The server of the last login.
    current: Option<String>,
    servers: BTreeMap<String, StoredTokens>,
}

pub(super) struct CredentialStore {
    folder: PathBuf,
}

/// The credentials, with the file lock held until drop.
pub(super) struct LockedCredentials {
    file: PathBuf,
    servers: Servers,
    _lock: File,
}

impl CredentialStore {
    pub(super) fn open() -> anyhow::Result<Self> {
        let absolute = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let folder = absolute("XDG_CONFIG_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".config")));
        let folder = folder.context("no folder for credentials: set HOME or XDG_CONFIG_HOME")?;
        Ok(Self {
            folder: folder.join("strongroom"),
        })
    }

    /// Takes the lock and reads the credentials. Waits for another process that holds it.
    pub(super) fn lock(&self) -> anyhow::Result<LockedCredentials> {
        let created = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder);
        created.with_context(|| format!("cannot create the folder {}", self.folder.display()))?;
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(self.folder.join("lock"));
        let lock = lock.with_context(|| format!("cannot write to {}", self.folder.display()))?;
        lock.lock()?;
        let file = self.folder.join("servers.json");
        let servers = read(&file)?;
        Ok(LockedCredentials {
            file,
            servers,
            _lock: lock,
        })
    }

    /// A valid access token, refreshed if needed. The lock is held meanwhile, because a refresh
    /// token works once.
    pub(super) async fn access_token(&self, server: &Server) -> anyhow::Result<SecretString> {
        let mut credentials = self.lock()?;
        let tokens = credentials.tokens(server)?;
        if tokens.is_fresh() {
            return Ok(tokens.access_token.expose().into());
        }
        credentials.refresh(server).await
    }

    /// An access token other than the rejected one: from a concurrent refresh, or from one now.
    pub(super) async fn access_token_other_than(
        &self,
        rejected: &SecretString,
        server: &Server,
    ) -> anyhow::Result<SecretString> {
        let mut credentials = self.lock()?;
        let tokens = credentials.tokens(server)?;
        if tokens.is_fresh() && tokens.access_token.expose() != rejected.expose_secret() {
            return Ok(tokens.access_token.expose().into());
        }
        credentials.refresh(server).await
    }
}

impl LockedCredentials {
    fn tokens(&self, server: &Server) -> anyhow::Result<&StoredTokens> {
        let url = server.url();
        self.servers
            .servers
            .get(url)
            .with_context(|| format!("not signed in to {url}: run strongroom login {url}"))
    }

    async fn refresh(&mut self, server: &Server) -> anyhow::Result<SecretString> {
        let url = server.url();
        let refresh = self.tokens(server)?.refresh_token.expose();
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("client_id", CLIENT_ID),
        ];
        match server.post::<TokenResponse>("/auth/token", &form).await? {
            Response::Success(tokens) => {
                let tokens = StoredTokens::of(tokens);
                let token = tokens.access_token.expose().into();
                self.servers.servers.insert(url.to_owned(), tokens);
                self.save()?;
                Ok(token)
            }
            Response::Failure(failure) if failure.error == "invalid_grant" => {
                self.remove(url);
                self.save()?;
                Err(signed_out(url))
            }
            Response::Failure(failure) => anyhow::bail!("{url} answered: {}", failure.detail),
        }
    }

    pub(super) fn current(&self) -> Option<String> {
        self.servers
            .current
            .clone()
            .filter(|url| self.servers.servers.contains_key(url))
    }

    /// Returns the replaced tokens.
    pub(super) fn insert(&mut self, url: &str, tokens: StoredTokens) -> Option<StoredTokens> {
        self.servers.current = Some(url.to_owned());
        self.servers.servers.insert(url.to_owned(), tokens)
    }

    pub(super) fn remove(&mut self, url: &str) -> Option<StoredTokens> {
        let tokens = self.servers.servers.remove(url);
        if self.servers.current.as_deref() == Some(url) {
            self.servers.current = self.servers.servers.keys().next().cloned();
        }
        tokens
    }

    pub(super) fn path(&self) -> &Path {
        &self.file
    }

    /// A crash leaves the old or the new file.
    pub(super) fn save(&self) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(&self.servers)?;
        durable_fs::replace(&self.file, &text, Mode::PRIVATE)
            .with_context(|| format!("cannot write {}", self.file.display()))
    }
}

fn read(path: &Path) -> anyhow::Result<Servers> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Servers::default()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    if std::fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        anyhow::bail!(
            "{0} holds your tokens, and other users can read it: run chmod 600 {0}",
            path.display()
        );
    }
    // The message of serde might quote a token.
    serde_json::from_str(&text)
        .map_err(|_| anyhow::anyhow!("{} is damaged: remove it and sign in again", path.display()))
}
