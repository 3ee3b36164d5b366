//! Opens the parts of an installation: database, keys, accounts and content. Deliberately absent:
//! serving.

use auth::{
    Clock, SecureRandom,
    keys::ring::KeyRing,
    settings::Registration,
    upstream::{HttpClient, UpstreamSettings},
};
use durable_fs::Mode;
use store::Database;
use vault::LocalBlobs;

use crate::{
    config::{Config, RegistrationMode},
    data_folder::create_private_folder,
    master_key::{MasterKeys, OnMissingKey},
    state::{Auth, Store},
    upstream_http,
};

/// The opened parts of an installation.
#[derive(Clone, Debug)]
pub struct Installation {
    pub store: Store,
    pub auth: Auth,
    pub blobs: LocalBlobs,
}

/// Opens the database, keys and accounts of the data folder. Creates those that are missing.
///
/// # Errors
/// A message for the operator.
pub async fn open(config: &Config, clock: Clock) -> anyhow::Result<Installation> {
    let master_keys = MasterKeys::load(config)?;
    let store = open_store(config).await?;
    let key = master_keys.active(&store, OnMissingKey::Fail).await?;
    // Before the first account, which gets its role in this vault.
    vault::vault::ensure_main_vault(&store, &clock, &SecureRandom::system()).await?;
    let auth = Auth::open(
        store.clone(),
        auth_settings(config, upstream_http::http_client()?)?,
        key,
        clock,
        SecureRandom::system(),
    )
    .await?;
    let blobs = LocalBlobs::new(config.data.join("vaults"), config.max_file_size);
    Ok(Installation { store, auth, blobs })
}

/// Opens the key ring alone. It may contain keys that the master key cannot decrypt.
///
/// # Errors
/// A message for the operator.
pub async fn open_key_ring(
    config: &Config,
    on_missing: OnMissingKey,
    clock: Clock,
) -> anyhow::Result<KeyRing<Store>> {
    let master_keys = MasterKeys::load(config)?;
    let store = open_store(config).await?;
    let key = master_keys.active(&store, on_missing).await?;
    Ok(KeyRing::new(
        store,
        &key,
        config.keys,
        clock,
        SecureRandom::system(),
    )?)
}

/// Opens the database. One that cannot be written opens for reading.
pub(crate) async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let rules = &config.database;
    let database = rules.database(&config.data)?;
    if database.is_read_only() {
        return Ok(Store::open_read_only(&database).await?);
    }
    create_database_file(&database);
    Ok(Store::open_with(&database, rules.migrations()).await?)
}

/// SQLite would leave a new file to root. Opening the database reports what fails here.
fn create_database_file(database: &Database) {
    if let Database::Sqlite(path) = database
        && !path.exists()
        && let Err(error) = durable_fs::create(path, b"", Mode::PRIVATE)
    {
        tracing::debug!(%error, "the database file was not created");
    }
}

/// The parts of an installation that a check reads.
#[derive(Clone, Debug)]
pub struct StoredData {
    pub store: Store,
    pub blobs: LocalBlobs,
}

/// Opens the data folder for reading. A folder that cannot be written needs no readable master key;
/// in another one the key must fit the database.
///
/// # Errors
/// A message for the operator.
pub async fn open_for_reading(config: &Config, clock: Clock) -> anyhow::Result<StoredData> {
    if config.database.database(&config.data)?.is_read_only() {
        let store = open_store(config).await?;
        let blobs = LocalBlobs::new(config.data.join("vaults"), config.max_file_size);
        return Ok(StoredData { store, blobs });
    }
    let Installation { store, blobs, .. } = open(config, clock).await?;
    Ok(StoredData { store, blobs })
}

/// Applies all migrations. On PostgreSQL, also grants the role `serving` what a server needs, if it
/// is given. The owner of the tables runs this if the server itself may not change them.
///
/// # Errors
/// A message for the operator.
pub async fn migrate(config: &Config, role_to_grant: Option<String>) -> anyhow::Result<()> {
    let database = config.database.database(&config.data)?;
    if matches!(database, Database::Sqlite(_)) {
        create_private_folder(&config.data)?;
        create_database_file(&database);
    }
    let store = Store::open(&database).await?;
    if let Some(role) = role_to_grant {
        store.grant_to(role).await?;
    }
    Ok(())
}

fn auth_settings(config: &Config, http: HttpClient) -> anyhow::Result<auth::Settings> {
    Ok(auth::Settings {
        registration: match config.registration {
            RegistrationMode::Open => Registration::Open,
            RegistrationMode::Invite => Registration::Invite,
            RegistrationMode::Closed => Registration::Closed,
        },
        default_role: config.default_role,
        hashing: config.hashing,
        clients: config.clients.clone(),
        factors: config.factors.clone(),
        step_up: config.step_up,
        passwords: config.passwords.rules()?,
        upstreams: UpstreamSettings {
            providers: config.providers.list.clone(),
            http: Some(http),
        },
        access_lifetime: config.sessions.access,
        idle_timeout: config.sessions.idle,
        absolute_timeout: config.sessions.absolute,
        requests_per_minute: config.sessions.requests_per_minute,
        keys: config.keys,
        ..auth::Settings::new(config.public_url.clone(), "strongroom".to_owned())
    })
}
