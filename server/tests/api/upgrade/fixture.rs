//! Unpacks `tests/fixtures/v0` and opens it, with a clock five seconds after its end.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use auth::Clock;
use flate2::read::GzDecoder;
use serde_json::Value;
use server::{Config, ConfigSource};
use store::{Database, testing};
use tempfile::TempDir;

use crate::{
    accounts::refresh_token,
    app::{Client, TestApp, TestResponse, test_config},
    passkeys::ORIGIN,
    totp_device::TotpDevice,
};

/// The present program on a data folder of the first version.
pub(super) struct Upgraded {
    pub(super) app: TestApp,
    pub(super) secrets: Value,
}

impl Upgraded {
    pub(super) async fn sqlite() -> Self {
        Self::open(Fixture::sqlite()).await
    }

    /// `None`, with a message on standard error, where PostgreSQL is not installed.
    pub(super) async fn postgresql() -> Option<Self> {
        Some(Self::open(Fixture::postgresql().await?).await)
    }

    async fn open(fixture: Fixture) -> Self {
        let Fixture {
            data,
            database,
            secrets,
        } = fixture;
        let made: jiff::Timestamp = secrets["now"].as_str().unwrap().parse().unwrap();
        let url = match database {
            Database::Sqlite(_) => None,
            Database::Postgres(url) => Some(url),
        };
        let shortly_after = made.as_second() + 5;
        let ahead = shortly_after - Clock::system().now().as_second();
        let app = TestApp::open(data, url, settings(), ahead).await;
        Self { app, secrets }
    }

    /// The server's own configuration, to open its data folder beside it.
    pub(super) fn config(&self) -> Config {
        test_config(&self.app.data, self.app.database.clone(), settings())
    }

    /// A secret of `owner` in the fixture. An empty `owner` means a secret of no single account.
    pub(super) fn secret(&self, owner: &str, name: &str) -> &str {
        let secrets = if owner.is_empty() {
            &self.secrets
        } else {
            &self.secrets[owner]
        };
        secrets[name].as_str().unwrap()
    }

    /// The authenticator app with that secret, which is stored in hexadecimal.
    pub(super) fn totp(&self, owner: &str, name: &str) -> TotpDevice {
        TotpDevice {
            secret: hex::decode(self.secret(owner, name)).unwrap(),
        }
    }

    /// A client that has used the refresh token of the fixture.
    pub(super) async fn resume(&self, owner: &str) -> Client {
        let tokens = refresh_token(&self.app.anonymous(), self.secret(owner, "refresh"))
            .await
            .expect_status(200);
        crate::totp::client_from(&self.app, owner, &tokens)
    }

    pub(super) async fn sign_in(&self, username: &str, password: &str) -> TestResponse {
        let anonymous = self.app.anonymous();
        let form = [("username", username), ("password", password)];
        anonymous
            .send(anonymous.post_request("/auth/token").form(&form))
            .await
    }

    pub(super) async fn get_with_cookie(&self, cookie: &str, path: &str) -> TestResponse {
        let anonymous = self.app.anonymous();
        anonymous
            .send(anonymous.get_request(path).header("cookie", cookie))
            .await
    }
}

/// A copy of the stored files, and of PostgreSQL's rows.
pub(super) struct Fixture {
    /// Removed when it is dropped.
    pub(super) data: TempDir,
    pub(super) database: Database,
    pub(super) secrets: Value,
}

impl Fixture {
    pub(super) fn sqlite() -> Self {
        let data = unpack("sqlite.tar.gz");
        let database = Database::Sqlite(data.path().join("strongroom.db"));
        Self {
            data,
            database,
            secrets: secrets("sqlite.json"),
        }
    }

    pub(super) async fn postgresql() -> Option<Self> {
        let dump = String::from_utf8(decompress("postgres.sql.gz")).unwrap();
        let database = testing::postgres_from_dump(&dump).await?;
        Some(Self {
            data: unpack("postgres.tar.gz"),
            database,
            secrets: secrets("postgres.json"),
        })
    }
}

fn settings() -> ConfigSource {
    ConfigSource {
        public_url: Some(ORIGIN.to_owned()),
        trusted_proxies: Some(vec!["127.0.0.1".parse().unwrap()]),
        ..ConfigSource::default()
    }
}

fn stored(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/v0")
        .join(name)
}

fn secrets(name: &str) -> Value {
    serde_json::from_slice(&fs::read(stored(name)).unwrap()).unwrap()
}

fn decompress(name: &str) -> Vec<u8> {
    let mut content = Vec::new();
    GzDecoder::new(fs::File::open(stored(name)).unwrap())
        .read_to_end(&mut content)
        .unwrap();
    content
}

/// Unpacks an archive in the ustar format of POSIX: blocks of 512 bytes, a header before each file.
fn unpack(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let archive = decompress(name);
    let mut rest = archive.as_slice();
    while rest.first().is_some_and(|byte| *byte != 0) {
        let header = &rest[..512];
        assert_eq!(&header[257..262], b"ustar");
        let size = usize::try_from(octal(&header[124..136])).unwrap();
        let path = folder.path().join(path(header));
        match header[156] {
            b'5' => fs::create_dir_all(&path).unwrap(),
            b'0' => fs::write(&path, &rest[512..512 + size]).unwrap(),
            kind => panic!("{} is neither a file nor a folder: {kind}", path.display()),
        }
        set_mode(&path, u32::try_from(octal(&header[100..108])).unwrap());
        rest = &rest[512 + size.next_multiple_of(512)..];
    }
    folder
}

fn path(header: &[u8]) -> PathBuf {
    Path::new(text(&header[345..500])).join(text(&header[..100]))
}

fn octal(field: &[u8]) -> u64 {
    u64::from_str_radix(text(field).trim(), 8).unwrap()
}

/// Up to the first zero byte.
fn text(field: &[u8]) -> &str {
    std::str::from_utf8(field.split(|byte| *byte == 0).next().unwrap()).unwrap()
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}
