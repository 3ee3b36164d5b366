//! An event log in memory, and a server over it, for the tests of this module.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use auth::{Realm, RealmId, RealmName, StoreUnavailable, Username};
use axum::{
    Router,
    body::Body,
    extract::{Query, State, ws::WebSocketUpgrade},
    response::Response,
    routing::{MethodFilter, on},
    serve::Listener,
};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use jiff::Timestamp;
use tokio::{
    io::DuplexStream,
    sync::{broadcast, mpsc, watch},
};
use tokio_tungstenite::WebSocketStream;
use vault::{Blob, BlobId, ContentStream, Event, EventAction, File, FileId, Filename, VaultId};

use super::{EventSource, Hub, StreamAccess, StreamAuthorizer, authorized_content, events, ws};

pub(super) fn username(name: &str) -> Username {
    Username::parse(name).unwrap()
}

pub(super) fn main_vault() -> Realm {
    Realm {
        id: RealmId::new("v1"),
        name: RealmName::parse("main").unwrap(),
    }
}

/// A check-in of the unlocked file `vise.step`.
pub(super) fn event(id: i64) -> Event {
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let file = File {
        id: FileId::new("f1"),
        name: Filename::parse("vise.step").unwrap(),
        description: None,
        revision: id,
        change: id,
        blob: Blob {
            id: BlobId::parse(&"ab".repeat(32)).unwrap(),
            size: 10,
        },
        modified_at: at,
        modified_by: username("ada"),
        lock: None,
        lock_seq: 0,
        deleted: false,
    };
    Event {
        id,
        at,
        by: username("ada"),
        action: EventAction::CheckIn,
        file,
        moved_from: None,
        reason: None,
    }
}

/// Clones share one log.
#[derive(Clone, Debug)]
pub(super) struct MockEventLog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    events: Mutex<Vec<Event>>,
    notifications: broadcast::Sender<VaultId>,
    overridden: broadcast::Sender<Username>,
    notifying: AtomicBool,
    failing: AtomicBool,
    queries: AtomicU32,
}

impl MockEventLog {
    pub(super) fn with_events(length: i64) -> Self {
        let log = Self(Arc::new(Inner {
            events: Mutex::default(),
            notifications: broadcast::channel(16).0,
            overridden: broadcast::channel(16).0,
            notifying: AtomicBool::new(true),
            failing: AtomicBool::new(false),
            queries: AtomicU32::new(0),
        }));
        log.append(length);
        log
    }

    /// Events without hints, as from another process.
    pub(super) fn without_notifications(self) -> Self {
        self.0.notifying.store(false, Ordering::SeqCst);
        self
    }

    pub(super) fn append(&self, more: i64) {
        for _ in 0..more {
            let mut events = self.0.events.lock().unwrap();
            let id = i64::try_from(events.len()).unwrap() + 1;
            events.push(event(id));
        }
        if self.0.notifying.load(Ordering::SeqCst) {
            let _ = self.0.notifications.send(main_vault().id);
        }
    }

    pub(super) fn append_with(&self, change: impl FnOnce(&mut Event)) {
        let mut events = self.0.events.lock().unwrap();
        let mut event = event(i64::try_from(events.len()).unwrap() + 1);
        change(&mut event);
        events.push(event);
        let _ = self.0.notifications.send(main_vault().id);
    }

    pub(super) fn override_lock_of(&self, holder: &str) {
        let _ = self.0.overridden.send(username(holder));
    }

    pub(super) fn fail_queries(&self) {
        self.0.failing.store(true, Ordering::SeqCst);
    }

    pub(super) fn queries(&self) -> u32 {
        self.0.queries.load(Ordering::SeqCst)
    }

    fn query<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&[Event]) -> T,
    ) -> BoxFuture<'static, Result<T, StoreUnavailable>> {
        self.0.queries.fetch_add(1, Ordering::SeqCst);
        let answer = if self.0.failing.load(Ordering::SeqCst) {
            Err(StoreUnavailable::from_source("the database is down"))
        } else {
            Ok(answer(&self.0.events.lock().unwrap()))
        };
        Box::pin(async {
            tokio::task::yield_now().await;
            answer
        })
    }
}

impl EventSource for MockEventLog {
    fn events<'a>(
        &'a self,
        _: &'a VaultId,
        since: i64,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<Event>, StoreUnavailable>> {
        let since = usize::try_from(since).unwrap();
        self.query(|events| {
            events
                .iter()
                .skip(since)
                .take(limit as usize)
                .cloned()
                .collect()
        })
    }

    fn head<'a>(&'a self, _: &'a VaultId) -> BoxFuture<'a, Result<i64, StoreUnavailable>> {
        self.query(|events| events.last().map_or(0, |event| event.id))
    }

    fn recorded(&self) -> broadcast::Receiver<VaultId> {
        self.0.notifications.subscribe()
    }

    fn overridden(&self) -> broadcast::Receiver<Username> {
        self.0.overridden.subscribe()
    }
}

/// A server with the two routes. Tests control the result of the access check. Clones share one
/// server.
#[derive(Clone, Debug)]
pub(super) struct LiveTestServer {
    pub(super) log: MockEventLog,
    hub: Hub,
    access_changes: Arc<watch::Sender<u64>>,
    access: Arc<Mutex<StreamAccess>>,
    stop: Arc<watch::Sender<bool>>,
    connect: mpsc::Sender<DuplexStream>,
}

pub(super) type WebSocketClient = WebSocketStream<DuplexStream>;

impl LiveTestServer {
    pub(super) fn start(log: MockEventLog) -> Self {
        let (dial, ringing) = mpsc::channel(16);
        let (stop, stopping) = watch::channel(false);
        let desk = Self {
            hub: Hub::new(log.clone(), stopping),
            log,
            access_changes: Arc::new(watch::channel(0).0),
            access: Arc::new(Mutex::new(StreamAccess::Allowed)),
            stop: Arc::new(stop),
            connect: dial,
        };
        tokio::spawn(axum::serve(DuplexListener(ringing), desk.router()).into_future());
        desk
    }

    pub(super) fn router(&self) -> Router {
        Router::new()
            .route("/ws", on(MethodFilter::GET, open_socket))
            .route("/api/events", on(MethodFilter::GET, open_events))
            .with_state(self.clone())
    }

    /// Changes the result of the check without a notification.
    pub(super) fn set_access_silently(&self, verdict: StreamAccess) {
        *self.access.lock().unwrap() = verdict;
    }

    pub(super) fn set_access(&self, verdict: StreamAccess) {
        self.set_access_silently(verdict);
        self.access_changes.send_modify(|n| *n += 1);
    }

    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// A connection with at most `buffer` bytes in flight.
    pub(super) async fn dial(&self, buffer: usize) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(buffer);
        self.connect.send(theirs).await.unwrap();
        ours
    }

    pub(super) async fn open_websocket(&self, query: &str) -> WebSocketClient {
        let line = self.dial(64 * 1024).await;
        tokio_tungstenite::client_async(format!("ws://strongroom/ws?{query}"), line)
            .await
            .unwrap()
            .0
    }

    /// A download by `eve`.
    pub(super) fn download(&self, content: ContentStream) -> Body {
        authorized_content(content, self.hub.clone(), self.authorizer(&HashMap::new()))
    }

    fn authorizer(&self, query: &HashMap<String, String>) -> TestViewer {
        let name = username(query.get("user").map_or("eve", String::as_str));
        TestViewer {
            name,
            vault: main_vault(),
            server: self.clone(),
        }
    }
}

struct DuplexListener(mpsc::Receiver<DuplexStream>);

impl Listener for DuplexListener {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(line) => (line, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<()> {
        Ok(())
    }
}

struct TestViewer {
    name: Username,
    vault: Realm,
    server: LiveTestServer,
}

impl StreamAuthorizer for TestViewer {
    fn username(&self) -> &Username {
        &self.name
    }

    fn vault(&self) -> &Realm {
        &self.vault
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.server.access_changes.subscribe()
    }

    async fn check(&self) -> StreamAccess {
        tokio::task::yield_now().await;
        *self.server.access.lock().unwrap()
    }
}

fn since_param(query: &HashMap<String, String>) -> Option<i64> {
    query.get("since").map(|since| since.parse().unwrap())
}

async fn open_socket(
    State(desk): State<LiveTestServer>,
    Query(query): Query<HashMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    ws(
        upgrade,
        desk.hub.clone(),
        desk.authorizer(&query),
        since_param(&query),
    )
    .await
    .unwrap()
}

async fn open_events(
    State(desk): State<LiveTestServer>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    events(
        &headers,
        desk.hub.clone(),
        desk.authorizer(&query),
        since_param(&query),
    )
    .await
    .unwrap()
}
