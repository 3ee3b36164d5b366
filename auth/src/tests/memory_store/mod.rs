//! An in-memory [`AuthStore`](crate::AuthStore) that counts its queries and can pause or fail them.

mod audit;
mod auth_store;
mod email_links;
mod factors;
mod groups;
mod identities;
mod invitations;
mod keys;
mod one_time_tokens;
mod password_resets;
mod tables;
mod throttles;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::{
    Account, AccountStatus, Actor, Factor, Group, GroupName, NewAccount, Realm, RealmId, Role,
    SecurityEpoch, Session, SessionId, StoreUnavailable, TokenHash, Username,
    audit::NewAuditEntry,
    store::{
        Credentials, Identity, InsertResult, Member, OneTimeKind, OneTimeToken, RefreshRotation,
        Rotation, StoreResult, StoredKey,
    },
};

#[derive(Clone, Default)]
pub(crate) struct MemoryStore(Arc<Inner>);

#[derive(Default)]
struct Inner {
    tables: Mutex<Tables>,
    queries: AtomicU64,
    touches: AtomicU64,
    /// While set, loads of credentials, sessions and members wait for a permit after the read.
    paused: AtomicBool,
    gate: Arc<Gate>,
    failing: AtomicBool,
}

struct Gate {
    /// One permit for each load that waits after its read.
    waiting: Semaphore,
    resumed: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            waiting: Semaphore::new(0),
            resumed: Semaphore::new(0),
        }
    }
}

#[derive(Default)]
struct Tables {
    accounts: BTreeMap<Username, (Credentials, HashMap<RealmId, Role>)>,
    sessions: HashMap<SessionId, Session>,
    cookies: HashMap<TokenHash, SessionId>,
    refresh: HashMap<TokenHash, RefreshRow>,
    realms: Vec<Realm>,
    events: Vec<Username>,
    audit: Vec<NewAuditEntry>,
    one_time_tokens: Vec<OneTimeToken>,
    factors: Vec<Factor>,
    identities: Vec<Identity>,
    keys: Vec<StoredKey>,
    master: Option<String>,
    throttles: throttles::Throttles,
    actors: Vec<Actor>,
    groups: BTreeMap<GroupName, Group>,
}

#[derive(Clone)]
struct RefreshRow {
    session: SessionId,
    used_at: Option<Timestamp>,
    successor: Option<TokenHash>,
}

impl MemoryStore {
    pub(crate) fn with_realms<const N: usize>(names: [&str; N]) -> Self {
        let store = Self::default();
        store.tables().realms = names.map(super::realm).to_vec();
        store
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.tables.lock().unwrap()
    }

    /// The tables, for one counted query; fails after [`fail_queries`](Self::fail_queries).
    fn query(&self) -> StoreResult<MutexGuard<'_, Tables>> {
        if self.0.failing.load(Ordering::Relaxed) {
            return Err(StoreUnavailable::from_source("down"));
        }
        self.0.queries.fetch_add(1, Ordering::Relaxed);
        Ok(self.tables())
    }

    async fn wait_if_paused(&self) {
        // A real store yields to other tasks here.
        tokio::task::yield_now().await;
        if self.0.paused.load(Ordering::Relaxed) {
            self.0.gate.waiting.add_permits(1);
            self.0.gate.resumed.acquire().await.unwrap().forget();
        }
    }

    /// From now on, loads of credentials, sessions and members wait after their read.
    pub(crate) fn pause_loads(&self) {
        self.0.paused.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn wait_for_paused_load(&self) {
        self.0.gate.waiting.acquire().await.unwrap().forget();
    }

    pub(crate) fn resume_loads(&self) {
        self.0.paused.store(false, Ordering::Relaxed);
        self.0.gate.resumed.add_permits(1);
    }

    pub(crate) fn fail_queries(&self) {
        self.0.failing.store(true, Ordering::Relaxed);
    }

    /// The number of queries so far.
    pub(crate) fn query_count(&self) -> u64 {
        self.0.queries.load(Ordering::Relaxed)
    }

    pub(crate) fn touch_count(&self) -> u64 {
        self.0.touches.load(Ordering::Relaxed)
    }

    pub(crate) fn password_hash(&self, username: &str) -> String {
        self.tables().accounts[&super::name(username)]
            .0
            .password
            .as_str()
            .to_owned()
    }

    /// The actions of all audit entries, oldest first.
    pub(crate) fn audit_action_names(&self) -> Vec<&'static str> {
        self.tables()
            .audit
            .iter()
            .map(|record| record.action.as_str())
            .collect()
    }

    pub(crate) fn actors(&self) -> Vec<Actor> {
        self.tables().actors.clone()
    }

    pub(crate) fn live_session_count(&self) -> usize {
        self.tables()
            .sessions
            .values()
            .filter(|session| session.ended_at.is_none())
            .count()
    }

    pub(crate) fn unused_refresh_token_count(&self) -> usize {
        self.tables()
            .refresh
            .values()
            .filter(|token| token.used_at.is_none())
            .count()
    }
}
