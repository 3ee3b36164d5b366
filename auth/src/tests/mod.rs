//! Tests of the service on an in-memory store, with a clock that only the tests advance.

mod administration;
mod client_session;
mod clock_jumps;
mod credential_kinds;
mod device_flood;
mod invitation;
mod key_ring;
mod master_rotation;
mod memory_store;
mod mock_provider;
mod password_reset;
mod personal_token;
mod refresh;
mod registration;
mod revocation;
mod scope_promotion;
mod self_service;
mod session;
mod sign_in;
mod throttle;
mod upstream_login;
mod upstream_metadata;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::{
    Account, Auth, AuthError, Caller, Clock, Origin, Password, PasswordHash, Realm, RealmId,
    RealmName, Role, SecureRandom, Settings, Username,
    accounts::registration::{ImportedAccount, RegistrationRequest},
    keys::master::MasterKey,
    oauth::token::TokenResponse,
    settings::{HashingCost, Registration},
};
pub(crate) use memory_store::MemoryStore;

pub(crate) const GOOD_PASSWORD: &str = "correct horse battery";

/// A clock that moves only in `advance` and `rewind`.
#[derive(Clone)]
pub(crate) struct MockClock(Arc<AtomicI64>);

impl MockClock {
    pub(crate) fn rewind(&self, by: Duration) {
        self.0
            .fetch_sub(i64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

pub(crate) struct TestAuth {
    pub(crate) auth: Auth<MemoryStore>,
    pub(crate) store: MemoryStore,
    pub(crate) clock: MockClock,
}

pub(crate) fn settings() -> Settings {
    Settings {
        registration: Registration::Open,
        default_role: Some(Role::Editor),
        idle_timeout: Duration::from_hours(12),
        absolute_timeout: Duration::from_hours(24 * 7),
        hashing: HashingCost {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
        },
        ..Settings::new(
            "https://strongroom.example".to_owned(),
            "strongroom".to_owned(),
        )
    }
}

pub(crate) fn master_key() -> MasterKey {
    MasterKey::parse("q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa").unwrap()
}

pub(crate) async fn test_auth() -> TestAuth {
    test_auth_with(settings()).await
}

pub(crate) async fn test_auth_with(settings: Settings) -> TestAuth {
    let store = MemoryStore::with_realms(["main", "attic"]);
    let clock = MockClock(Arc::new(AtomicI64::new(1_800_000_000_000_000)));
    let auth = open_node(&store, &clock, settings).await;
    TestAuth { auth, store, clock }
}

/// One more node on the same store.
pub(crate) async fn open_node(
    store: &MemoryStore,
    clock: &MockClock,
    settings: Settings,
) -> Auth<MemoryStore> {
    let micros = clock.0.clone();
    let clock = Clock::from_fn(move || {
        Timestamp::from_microsecond(micros.load(Ordering::Relaxed)).unwrap()
    });
    Auth::open(
        store.clone(),
        settings,
        master_key(),
        clock,
        SecureRandom::system(),
    )
    .await
    .unwrap()
}

pub(crate) fn name(raw: &str) -> Username {
    Username::parse(raw).unwrap()
}

pub(crate) fn password(raw: &str) -> Password {
    Password::new(raw.to_owned())
}

pub(crate) fn origin() -> Origin {
    Origin {
        address: IpAddr::from([192, 0, 2, 1]),
        user_agent: Some("test".to_owned()),
        device: None,
    }
}

pub(crate) fn registration_request(username: &str) -> RegistrationRequest {
    RegistrationRequest {
        username: name(username),
        display_name: None,
        email: None,
        password: password(GOOD_PASSWORD),
    }
}

pub(crate) fn realm(raw: &str) -> Realm {
    Realm {
        id: RealmId::new(raw),
        name: RealmName::parse(raw).unwrap(),
    }
}

pub(crate) fn access_token(tokens: &TokenResponse) -> &str {
    tokens.access_token.expose_secret()
}

impl TestAuth {
    pub(crate) async fn register(&self, username: &str) -> Account {
        self.auth
            .accounts()
            .register(registration_request(username), &origin())
            .await
            .unwrap()
    }

    pub(crate) async fn password_grant(
        &self,
        username: &str,
        raw: &str,
    ) -> Result<TokenResponse, AuthError> {
        self.auth
            .oauth()
            .token(username, password(raw), origin())
            .await
    }

    pub(crate) async fn sign_in(&self, username: &str) -> (TokenResponse, Caller) {
        let tokens = self.password_grant(username, GOOD_PASSWORD).await.unwrap();
        let caller = self
            .auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await
            .unwrap();
        (tokens, caller)
    }

    pub(crate) async fn administrator(&self, username: &str) -> Caller {
        let hash = self
            .auth
            .0
            .hasher
            .hash(&Arc::new(password(GOOD_PASSWORD)))
            .await
            .unwrap();
        let password = PasswordHash::from_stored(hash.as_str());
        self.auth
            .accounts()
            .import_account(ImportedAccount {
                username: name(username),
                password,
                administrator: true,
            })
            .await
            .unwrap();
        self.sign_in(username).await.1
    }

    pub(crate) async fn import_account(&self, username: &str, hash: &str) -> Account {
        let password = PasswordHash::import(hash).unwrap();
        self.auth
            .accounts()
            .import_account(ImportedAccount {
                username: name(username),
                password,
                administrator: false,
            })
            .await
            .unwrap()
    }
}

/// A file of third-party test vectors, which the repository does not contain.
///
/// A missing file is `None` with a line on stderr, and a panic if `CI` is set.
pub(crate) fn shared_vectors(file: &str) -> Option<serde_json::Value> {
    let shared = std::env::var("STRONGROOM_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared").to_owned());
    let path = format!("{shared}/vectors/{file}");
    match std::fs::read(&path) {
        Ok(text) => Some(serde_json::from_slice(&text).unwrap()),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{path}: {error}");
            report_skipped(&path);
            None
        }
    }
}

fn report_skipped(path: &str) {
    eprintln!("SKIPPED: {path} does not exist");
}
