//! Startup and shutdown: claims the data folder, starts all tasks, and stops them in order.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use auth::{AuthError, Clock, SecureRandom};
use axum_server::Handle;
use hyper_util::rt::TokioTimer;
use jiff::SignedDuration;
use tokio::{sync::watch, task::JoinHandle};
use vault::{LocalBlobs, VaultStore};

use crate::{
    audit_checkpoint::AuditCheckpoint,
    config::Config,
    connection::{ConnectionAcceptor, ConnectionBudget},
    data_folder::{create_private_folder, refuse_writable_by_others},
    descriptors::Descriptors,
    installation::{Installation, open},
    instance_lock::InstanceLock,
    live::Hub,
    mail::Mailer,
    master_key::finish_interrupted_rotation,
    open_streams::OpenStreams,
    override_mails,
    router::router,
    state::{AppState, Auth, Shared, SiteInfo, Store, Vault},
    telemetry,
};

/// Time limit for a client to send its request headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes read ahead, and bytes waiting to be sent, of one connection.
const CONNECTION_BUFFER_BYTES: usize = 64 * 1024;
/// Time limit for requests in progress at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// A running server.
#[derive(Debug)]
pub struct RunningServer {
    pub address: SocketAddr,
    /// The public URL of the installation.
    pub public_url: String,
    /// The link to create the first administrator; `None` if one exists.
    pub setup_link: Option<String>,
    pub auth: Auth,
    pub vault: Vault,
    audit_checkpoint: (AuditCheckpoint, Store),
    handle: Handle<SocketAddr>,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
    /// The background task of `auth`. It ends only with an error that requires a shutdown.
    background: JoinHandle<AuthError>,
    maintenance: Vec<JoinHandle<()>>,
    _instance_lock: InstanceLock,
}

/// Starts the server. It is listening when this returns.
///
/// # Errors
/// A message for the operator: a port in use, a newer database, a weak key.
pub async fn start(config: Config, clock: Clock) -> anyhow::Result<RunningServer> {
    if let Some(message) = &config.missing_registration_mode {
        anyhow::bail!("{message}");
    }
    let listener = listen(config.listen)?;
    let address = listener.local_addr()?;
    let config = config.with_listen_address(address);
    let instance_lock = claim_data_folder(&config)?;
    let Installation { store, auth, blobs } = open(&config, clock.clone()).await?;
    finish_interrupted_rotation(&config, &store, &instance_lock).await?;
    auth.keys().rotate_keys_if_due().await?;
    blobs.clear_leftovers().await?;
    let vault = open_vault(&config, store.clone(), blobs, clock.clone()).await?;
    let setup = auth.accounts().setup_token().await?;
    let public_url = config.public_url.clone();
    let setup_link = setup.map(|token| format!("{public_url}/first#{}", token.expose()));
    let (stop, stopping) = watch::channel(false);
    let hub = Hub::for_vaults(store.clone(), vault.clone(), stopping.clone());
    let background = tokio::spawn({
        let auth = auth.clone();
        async move { auth.background().run_background_tasks().await }
    });
    let mut maintenance = spawn_maintenance(&store, &vault, clock.clone());
    maintenance.extend(spawn_mailer(&auth, &config, clock)?);
    let override_mails = override_mails::run(auth.clone(), vault.clone(), store.clone());
    maintenance.push(tokio::spawn(override_mails));
    let audit_checkpoint = AuditCheckpoint::open(&config)?;
    maintenance.push(tokio::spawn(audit_checkpoint.clone().run(store.clone())));
    let audit_checkpoint = (audit_checkpoint, store.clone());
    let site = Arc::new(SiteInfo::new(config, telemetry::metrics()));
    let descriptors = Descriptors::of_process();
    let state = AppState::new(Shared {
        auth: auth.clone(),
        vault: vault.clone(),
        store,
        hub,
        site,
        streams: OpenStreams::new(descriptors),
        stopping,
    });
    let handle = Handle::new();
    let server = tokio::spawn(serve(listener, state, descriptors, handle.clone()));
    Ok(RunningServer {
        address,
        public_url,
        setup_link,
        auth,
        vault,
        audit_checkpoint,
        handle,
        stop,
        server,
        background,
        maintenance,
        _instance_lock: instance_lock,
    })
}

/// Creates the data folder, or requires that this server alone writes to it.
fn claim_data_folder(config: &Config) -> anyhow::Result<InstanceLock> {
    create_private_folder(&config.data)?;
    refuse_writable_by_others(&config.data)?;
    if let Ok(database) = config.database.database(&config.data)
        && database.is_read_only()
    {
        anyhow::bail!("{database} or its folder is read-only, and a server writes to both");
    }
    InstanceLock::acquire(&config.data)
}

async fn open_vault(
    config: &Config,
    store: Store,
    blobs: LocalBlobs,
    clock: Clock,
) -> anyhow::Result<Vault> {
    let repositories = config.data.join("vaults");
    create_private_folder(&repositories)?;
    Ok(Vault::open(store, blobs, repositories, clock, SecureRandom::system()).await?)
}

fn listen(address: SocketAddr) -> anyhow::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address).with_context(|| {
        format!(
            "Strongroom cannot listen on {address} (the port may be in use; --listen sets another one)"
        )
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn serve(
    listener: std::net::TcpListener,
    state: AppState,
    descriptors: Descriptors,
    handle: Handle<SocketAddr>,
) -> std::io::Result<()> {
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum_server::from_tcp(listener)?
        .acceptor(ConnectionAcceptor {
            budget: ConnectionBudget::new(descriptors.connections),
        })
        .handle(handle);
    // Also covers clients that send nothing, in either HTTP version. `http1_only` would disable
    // HTTP/2, but its acceptor cannot upgrade to WebSockets; `answer` refuses WebSockets over
    // HTTP/2.
    let mut server = server.first_request_timeout(HEADER_TIMEOUT);
    server
        .http_builder()
        .http2()
        .keep_alive_interval(HEADER_TIMEOUT)
        .keep_alive_timeout(HEADER_TIMEOUT)
        .max_send_buf_size(CONNECTION_BUFFER_BYTES);
    server
        .http_builder()
        .http1()
        .max_buf_size(CONNECTION_BUFFER_BYTES)
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    server.serve(service).await
}

fn spawn_maintenance(store: &Store, vault: &Vault, clock: Clock) -> Vec<JoinHandle<()>> {
    let (store, vault) = (store.clone(), vault.clone());
    let sessions_task = tokio::spawn(crate::metrics_tasks::record_live_sessions(
        store.clone(),
        clock.clone(),
    ));
    let histogram_task = tokio::spawn(crate::metrics_tasks::run_histogram_upkeep(
        telemetry::metrics(),
    ));
    let purge_task = tokio::spawn(async move {
        let mut hourly = tokio::time::interval(Duration::from_hours(1));
        loop {
            hourly.tick().await;
            if let Err(error) = purge_idempotency_keys(&store, &clock).await {
                tracing::warn!(%error, "expired idempotency keys were not deleted");
            }
            match vault.collect_refused_uploads().await {
                Ok(files) => tracing::debug!(files, "content of refused uploads deleted"),
                Err(error) => tracing::warn!(%error, "content of refused uploads was not deleted"),
            }
        }
    });
    vec![purge_task, sessions_task, histogram_task]
}

/// Starts mail delivery. Without mail settings the queue is closed and mails are discarded.
fn spawn_mailer(
    auth: &Auth,
    config: &Config,
    clock: Clock,
) -> anyhow::Result<Option<JoinHandle<()>>> {
    let queue = auth.mail().take_mail_queue();
    let Some(mail) = &config.mail else {
        return Ok(None);
    };
    let mailer = Mailer::new(mail, config.public_url.clone(), clock)?;
    Ok(queue.map(|queue| tokio::spawn(mailer.run(queue))))
}

/// Deletes idempotency keys after 24 hours. (`auth` deletes ended sessions.)
async fn purge_idempotency_keys(
    store: &Store,
    clock: &Clock,
) -> Result<(), auth::StoreUnavailable> {
    let before = clock.now() - SignedDuration::from_hours(24);
    loop {
        let keys = store.purge_idempotency_keys(before).await?;
        tracing::debug!(keys, "idempotency keys deleted");
        if keys == 0 {
            return Ok(());
        }
    }
}

impl RunningServer {
    /// Waits until the server ends. It ends without [`stop`](Self::stop) only on an error.
    ///
    /// # Errors
    /// The error that ended it.
    pub async fn wait(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            served = &mut self.server => Ok(served??),
            stopped = &mut self.background => Err(stopped?.into()),
        }
    }

    /// Stops accepting connections, closes sockets, waits for requests, and makes git durable.
    ///
    /// # Errors
    /// A step of the shutdown failed. Acknowledged changes are durable even then.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        self.handle.graceful_shutdown(Some(SHUTDOWN_TIMEOUT));
        self.wait().await?;
        self.background.abort();
        for task in &self.maintenance {
            task.abort();
        }
        self.vault.close().await;
        let (audit_checkpoint, store) = &self.audit_checkpoint;
        audit_checkpoint.reload()?.advance(store).await?;
        store.checkpoint().await?;
        Ok(())
    }
}
