//! Where somebody is signed in: a file of their own in their configuration folder that nobody else can read. Written
//! whole or not at all, and by one program at a time.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use auth::Clock;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use wire::TokenResponse;

use super::{
    login::CLIENT,
    server::{Answer, Server},
    signed_out,
};

/// A token that dies sooner is renewed before it is used.
const SOON: Duration = Duration::from_secs(30);

/// A token. Cannot print.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Secret,
    expires_at: Timestamp,
}

impl Held {
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
            > SignedDuration::try_from(SOON).unwrap_or_default()
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Servers {
    /// The one that somebody signed in to last.
    current: Option<String>,
    servers: BTreeMap<String, Held>,
}

pub(super) struct Keeper {
    folder: PathBuf,
}

/// What is kept, locked until it is dropped.
pub(super) struct Kept {
    file: PathBuf,
    servers: Servers,
    _lock: File,
}

impl Keeper {
    pub(super) fn open() -> anyhow::Result<Self> {
        let absolute = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let folder = absolute("XDG_CONFIG_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".config")));
        let folder =
            folder.context("neither XDG_CONFIG_HOME nor HOME says where your settings are")?;
        Ok(Self {
            folder: folder.join("strongroom"),
        })
    }

    /// Reads what is kept; another `strongroom` waits meanwhile.
    pub(super) fn lock(&self) -> anyhow::Result<Kept> {
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder);
        made.with_context(|| format!("the folder {} cannot be made", self.folder.display()))?;
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(self.folder.join("lock"));
        let lock =
            lock.with_context(|| format!("{} cannot be written to", self.folder.display()))?;
        lock.lock()?;
        let file = self.folder.join("servers.json");
        let servers = read(&file)?;
        Ok(Kept {
            file,
            servers,
            _lock: lock,
        })
    }

    /// A token that lives, renewed if need be. The lock is held meanwhile: a refresh token is good once.
    pub(super) async fn access_token(&self, server: &Server) -> anyhow::Result<SecretString> {
        let mut kept = self.lock()?;
        let held = kept.held(server)?;
        if held.is_fresh() {
            return Ok(held.access_token.expose().into());
        }
        kept.renew(server).await
    }

    /// In place of one that the server refused: what another `strongroom` got meanwhile, or else a new one.
    pub(super) async fn access_token_other_than(
        &self,
        refused: &SecretString,
        server: &Server,
    ) -> anyhow::Result<SecretString> {
        let mut kept = self.lock()?;
        let held = kept.held(server)?;
        if held.is_fresh() && held.access_token.expose() != refused.expose_secret() {
            return Ok(held.access_token.expose().into());
        }
        kept.renew(server).await
    }
}

impl Kept {
    fn held(&self, server: &Server) -> anyhow::Result<&Held> {
        let url = server.url();
        self.servers
            .servers
            .get(url)
            .with_context(|| format!("you are not signed in to {url}: strongroom login {url}"))
    }

    async fn renew(&mut self, server: &Server) -> anyhow::Result<SecretString> {
        let url = server.url();
        let refresh = self.held(server)?.refresh_token.expose();
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("client_id", CLIENT),
        ];
        match server.post::<TokenResponse>("/auth/token", &form).await? {
            Answer::Good(tokens) => {
                let held = Held::of(tokens);
                let token = held.access_token.expose().into();
                self.servers.servers.insert(url.to_owned(), held);
                self.save()?;
                Ok(token)
            }
            Answer::Refused(refused) if refused.error == "invalid_grant" => {
                self.remove(url);
                self.save()?;
                Err(signed_out(url))
            }
            Answer::Refused(refused) => anyhow::bail!("{url} says: {}", refused.detail),
        }
    }

    pub(super) fn current(&self) -> Option<String> {
        self.servers
            .current
            .clone()
            .filter(|url| self.servers.servers.contains_key(url))
    }

    /// Says what was there before.
    pub(super) fn put(&mut self, url: &str, held: Held) -> Option<Held> {
        self.servers.current = Some(url.to_owned());
        self.servers.servers.insert(url.to_owned(), held)
    }

    pub(super) fn remove(&mut self, url: &str) -> Option<Held> {
        let held = self.servers.servers.remove(url);
        if self.servers.current.as_deref() == Some(url) {
            self.servers.current = self.servers.servers.keys().next().cloned();
        }
        held
    }

    pub(super) fn path(&self) -> &Path {
        &self.file
    }

    /// Beside it and renamed: a crash leaves the old one or the new one.
    pub(super) fn save(&self) -> anyhow::Result<()> {
        let beside = self.file.with_extension("new");
        let failed = || format!("{} cannot be written", self.file.display());
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(failed);
            }
            _ => {}
        }
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&beside)
            .with_context(failed)?;
        file.write_all(&serde_json::to_vec_pretty(&self.servers)?)
            .with_context(failed)?;
        file.sync_all().with_context(failed)?;
        std::fs::rename(&beside, &self.file).with_context(failed)
    }
}

fn read(path: &Path) -> anyhow::Result<Servers> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Servers::default()),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    if std::fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        anyhow::bail!(
            "others can read {0}, which holds your tokens: chmod 600 {0}",
            path.display()
        );
    }
    // Not serde's own words: they might quote a token.
    serde_json::from_str(&text).map_err(|_| {
        anyhow::anyhow!(
            "{} is not what strongroom wrote: remove it and sign in again",
            path.display()
        )
    })
}
