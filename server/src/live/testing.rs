//! An event log in memory, for the tests of this module.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use auth::{Realm, RealmId, RealmName, Unavailable, Username};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::broadcast;
use vault::{Blob, BlobId, Event, EventAction, File, FileId, Filename, VaultId};

use super::EventSource;

pub(super) fn user(name: &str) -> Username {
    Username::parse(name).unwrap()
}

pub(super) fn main_vault() -> Realm {
    Realm { id: RealmId::new("v1"), name: RealmName::parse("main").unwrap() }
}

/// Somebody's check-in of `vise.step`; nobody holds it.
pub(super) fn event(id: i64) -> Event {
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let file = File {
        id: FileId::new("f1"),
        name: Filename::parse("vise.step").unwrap(),
        description: None,
        revision: id,
        change: id,
        blob: Blob { id: BlobId::parse(&"ab".repeat(32)).unwrap(), size: 10 },
        modified_at: at,
        modified_by: user("ada"),
        lock: None,
        grants: 0,
        deleted: false,
    };
    Event { id, at, by: user("ada"), action: EventAction::CheckIn, file, moved_from: None, reason: None }
}

/// Clones share one log.
#[derive(Clone, Debug)]
pub(super) struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    events: Mutex<Vec<Event>>,
    hints: broadcast::Sender<VaultId>,
    hinting: AtomicBool,
    broken: AtomicBool,
    queries: AtomicU32,
}

impl Log {
    pub(super) fn of(length: i64) -> Self {
        let log = Self(Arc::new(Inner {
            events: Mutex::default(),
            hints: broadcast::channel(16).0,
            hinting: AtomicBool::new(true),
            broken: AtomicBool::new(false),
            queries: AtomicU32::new(0),
        }));
        log.record(length);
        log
    }

    /// As another process would: nobody is told.
    pub(super) fn without_hints(self) -> Self {
        self.0.hinting.store(false, Ordering::SeqCst);
        self
    }

    pub(super) fn record(&self, more: i64) {
        for _ in 0..more {
            let mut events = self.0.events.lock().unwrap();
            let id = i64::try_from(events.len()).unwrap() + 1;
            events.push(event(id));
        }
        if self.0.hinting.load(Ordering::SeqCst) {
            let _ = self.0.hints.send(main_vault().id);
        }
    }

    pub(super) fn break_down(&self) {
        self.0.broken.store(true, Ordering::SeqCst);
    }

    pub(super) fn queries(&self) -> u32 {
        self.0.queries.load(Ordering::SeqCst)
    }

    fn ask<T: Send + 'static>(&self, answer: impl FnOnce(&[Event]) -> T) -> BoxFuture<'static, Result<T, Unavailable>> {
        self.0.queries.fetch_add(1, Ordering::SeqCst);
        let answer = if self.0.broken.load(Ordering::SeqCst) {
            Err(Unavailable::because("the database is down"))
        } else {
            Ok(answer(&self.0.events.lock().unwrap()))
        };
        Box::pin(async {
            tokio::task::yield_now().await;
            answer
        })
    }
}

impl EventSource for Log {
    fn events<'a>(&'a self, _: &'a VaultId, since: i64, limit: u32) -> BoxFuture<'a, Result<Vec<Event>, Unavailable>> {
        let since = usize::try_from(since).unwrap();
        self.ask(|events| events.iter().skip(since).take(limit as usize).cloned().collect())
    }

    fn head<'a>(&'a self, _: &'a VaultId) -> BoxFuture<'a, Result<i64, Unavailable>> {
        self.ask(|events| events.last().map_or(0, |event| event.id))
    }

    fn recorded(&self) -> broadcast::Receiver<VaultId> {
        self.0.hints.subscribe()
    }
}
