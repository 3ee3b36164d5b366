//! Opens the data folder, starts everything, and stops it in order.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use auth::{
    AuthError, Clock, SecureRandom,
    keys::ring::KeyRing,
    service::Registration,
    upstream::{HttpClient, UpstreamSettings},
};
use axum_server::Handle;
use hyper_util::rt::TokioTimer;
use jiff::SignedDuration;
use store::Database;
use tokio::{sync::watch, task::JoinHandle};
use vault::{LocalBlobs, VaultStore};

use crate::{
    accept::Patient,
    config::{Config, RegistrationMode},
    hold::Hold,
    live::Hub,
    mail::Postman,
    master::{Lost, Masters, settle},
    router::router,
    state::{AppState, Auth, Shared, Site, Store, Vault},
    telemetry, upstream,
    witness::Witness,
};

/// A client has so long to send its headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
/// Requests under way have so long to end when the server is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A server that serves.
#[derive(Debug)]
pub struct Running {
    pub address: SocketAddr,
    /// Where people reach it.
    pub public_url: String,
    /// Makes the first administrator; `None` when there is one.
    pub setup_link: Option<String>,
    pub auth: Auth,
    pub vault: Vault,
    witness: (Witness, Store),
    handle: Handle<SocketAddr>,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
    /// Ends when this process is of no use any more.
    following: JoinHandle<AuthError>,
    upkeep: Vec<JoinHandle<()>>,
    _hold: Hold,
}

/// The parts of an installation, open.
#[derive(Clone, Debug)]
pub struct Opened {
    pub store: Store,
    pub auth: Auth,
    pub blobs: LocalBlobs,
}

/// Opens database, keys and accounts of the data folder, making what is missing.
///
/// # Errors
/// A sentence for the operator.
pub async fn open(config: &Config, clock: Clock) -> anyhow::Result<Opened> {
    let masters = Masters::of(config)?;
    let store = open_store(config).await?;
    let key = masters.in_force(&store, Lost::ForNow).await?;
    // Before the first account: it gets its role there.
    vault::vault::ensure_main_vault(&store, &clock, &SecureRandom::system()).await?;
    let auth = Auth::open(
        store.clone(),
        settings(config, upstream::http_client()?)?,
        key,
        clock,
        SecureRandom::system(),
    )
    .await?;
    let blobs = LocalBlobs::new(config.data.join("vaults"), config.max_file_size);
    Ok(Opened { store, auth, blobs })
}

/// The key ring alone, for the operator: it need not open under the master key.
///
/// # Errors
/// A sentence for the operator.
pub async fn open_ring(
    config: &Config,
    lost: Lost,
    clock: Clock,
) -> anyhow::Result<KeyRing<Store>> {
    let masters = Masters::of(config)?;
    let store = open_store(config).await?;
    let key = masters.in_force(&store, lost).await?;
    Ok(KeyRing::new(
        store,
        &key,
        config.keys,
        clock,
        SecureRandom::system(),
    )?)
}

pub(crate) async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let rules = &config.database;
    Ok(Store::open_with(&rules.database(&config.data)?, rules.migrations()).await?)
}

/// Brings the tables up to date, and lets an account of PostgreSQL serve from them if one is named: for whoever owns
/// them, where the server may not change them itself.
///
/// # Errors
/// A sentence for the operator.
pub async fn migrate(config: &Config, serving: Option<String>) -> anyhow::Result<()> {
    let database = config.database.database(&config.data)?;
    if matches!(database, Database::Sqlite(_)) {
        make_private(&config.data)?;
    }
    let store = Store::open(&database).await?;
    if let Some(role) = serving {
        store.grant_to(role).await?;
    }
    Ok(())
}

fn settings(config: &Config, http: HttpClient) -> anyhow::Result<auth::Settings> {
    Ok(auth::Settings {
        registration: match config.registration {
            RegistrationMode::Open => Registration::Open,
            RegistrationMode::Invite => Registration::Invite,
            RegistrationMode::Closed => Registration::Closed,
        },
        default_role: config.first_role,
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

/// Only for whoever runs the server: the folder holds keys and everybody's hashes.
pub(crate) fn make_private(folder: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .with_context(|| format!("The folder {} cannot be made", folder.display()))
}

/// Starts serving. Everything is open and listening when it returns.
///
/// # Errors
/// A sentence for the operator: a taken port, a newer database, a weak key.
pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Running> {
    if let Some(why) = &config.unsaid {
        anyhow::bail!("{why}");
    }
    let listener = listen(config.listen)?;
    let address = listener.local_addr()?;
    let config = config.listening_on(address);
    make_private(&config.data)?;
    let hold = Hold::of(&config.data)?;
    let Opened { store, auth, blobs } = open(&config, clock.clone()).await?;
    settle(&config, &store, &hold).await?;
    auth.keys().rotate_keys_if_due().await?;
    blobs.clear_leftovers().await?;
    let repositories = config.data.join("vaults");
    make_private(&repositories)?;
    let vault = Vault::open(
        store.clone(),
        blobs,
        repositories,
        clock.clone(),
        SecureRandom::system(),
    )
    .await?;
    let setup = auth.accounts().setup_token().await?;
    let public_url = config.public_url.clone();
    let setup_link = setup.map(|token| format!("{public_url}/first#{}", token.expose()));
    let (stop, stopping) = watch::channel(false);
    let hub = Hub::over(store.clone(), vault.clone(), stopping.clone());
    let following = tokio::spawn({
        let auth = auth.clone();
        async move { auth.background().run_background_tasks().await }
    });
    let mut upkeep = upkeep(&store, clock.clone());
    upkeep.extend(post(&auth, &config, clock)?);
    let witness = Witness::of(&config)?;
    upkeep.push(tokio::spawn(witness.clone().watch(store.clone())));
    let witness = (witness, store.clone());
    let site = Arc::new(Site::new(config, telemetry::metrics()));
    let state = AppState::new(Shared {
        auth: auth.clone(),
        vault: vault.clone(),
        store,
        hub,
        site,
        stopping,
    });
    let handle = Handle::new();
    let server = tokio::spawn(serve(listener, state, handle.clone()));
    Ok(Running {
        address,
        public_url,
        setup_link,
        auth,
        vault,
        witness,
        handle,
        stop,
        server,
        following,
        upkeep,
        _hold: hold,
    })
}

fn listen(address: SocketAddr) -> anyhow::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address).with_context(|| {
        format!(
            "Strongroom cannot listen on {address} (another program may be there already: --listen names another port)"
        )
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn serve(
    listener: std::net::TcpListener,
    state: AppState,
    handle: Handle<SocketAddr>,
) -> std::io::Result<()> {
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum_server::from_tcp(listener)?
        .acceptor(Patient)
        .handle(handle);
    // Also for whoever says nothing at all, in whichever version of HTTP. (Without HTTP/2, `http1_only`, this server
    // makes no WebSockets: requests in it are refused in `answer`.)
    let mut server = server.first_request_timeout(HEADERS_WITHIN);
    server
        .http_builder()
        .http2()
        .keep_alive_interval(HEADERS_WITHIN)
        .keep_alive_timeout(HEADERS_WITHIN);
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN);
    server.serve(service).await
}

fn upkeep(store: &Store, clock: Clock) -> Vec<JoinHandle<()>> {
    let store = store.clone();
    let count = tokio::spawn(crate::counting::count(store.clone(), clock.clone()));
    let fold = tokio::spawn(crate::counting::fold(telemetry::metrics()));
    let forget = tokio::spawn(async move {
        let mut hourly = tokio::time::interval(Duration::from_hours(1));
        loop {
            hourly.tick().await;
            if let Err(error) = forget(&store, &clock).await {
                tracing::warn!(%error, "old idempotency keys were not forgotten");
            }
        }
    });
    vec![forget, count, fold]
}

/// Without mail settings the box is closed, and letters go nowhere.
fn post(auth: &Auth, config: &Config, clock: Clock) -> anyhow::Result<Option<JoinHandle<()>>> {
    let letters = auth.mail().take_mail_queue();
    let Some(mail) = &config.mail else {
        return Ok(None);
    };
    let postman = Postman::new(mail, config.public_url.clone(), clock)?;
    Ok(letters.map(|letters| tokio::spawn(postman.deliver(letters))))
}

/// Idempotency keys are kept for a day. (Ended sessions are `auth`'s to forget.)
async fn forget(store: &Store, clock: &Clock) -> Result<(), auth::StoreUnavailable> {
    let before = clock.now() - SignedDuration::from_hours(24);
    loop {
        let keys = store.purge_idempotency_keys(before).await?;
        tracing::debug!(keys, "idempotency keys were forgotten");
        if keys == 0 {
            return Ok(());
        }
    }
}

impl Running {
    /// Ends when the server does, by itself only when something broke.
    ///
    /// # Errors
    /// What broke.
    pub async fn finished(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            served = &mut self.server => Ok(served??),
            lost = &mut self.following => Err(lost?.into()),
        }
    }

    /// Takes no more connections, tells sockets, lets requests end, and leaves git durable.
    ///
    /// # Errors
    /// What did not end well; everything acknowledged is safe all the same.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        self.handle.graceful_shutdown(Some(STOP_WITHIN));
        self.finished().await?;
        self.following.abort();
        for task in &self.upkeep {
            task.abort();
        }
        self.vault.close().await;
        let (witness, store) = &self.witness;
        witness.again()?.look(store).await?;
        store.checkpoint().await?;
        Ok(())
    }
}
