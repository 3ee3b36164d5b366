//! Sessions and rights in memory, so that authentication needs no database query per request.
//!
//! This module stores, invalidates and looks up entries. `authenticate` loads them. Any entry may
//! be dropped at any time; it is then loaded again.

mod tickets;

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::{Mutex, watch};

use tickets::TicketStore;
pub(crate) use tickets::{TICKET_LIFETIME, Ticket};

use crate::{
    Account, FactorKinds, Realm, RealmId, RealmName, Role, Scope, Scopes, Session, SessionId,
    SessionKind, TokenHash, Username, clock,
};

/// Upper bound on cached sessions, including ended ones. Reaching it evicts a tenth.
const MAX_SESSIONS: usize = 50_000;
const MAX_COOKIES: usize = 50_000;
/// Length of the log of invalidated accounts. A load that began before the oldest entry is not
/// cached.
const INVALIDATION_LOG: usize = 1_024;
/// Number of load locks. Two accounts share one with a probability of 1 in 64.
const LOAD_LOCKS: usize = 64;

/// An account with its roles and second factors, as of the last account event.
#[derive(Clone, Debug)]
pub struct Rights {
    pub account: Account,
    pub roles: HashMap<RealmId, Role>,
    /// The kinds of second factor that the account has enrolled.
    pub factors: FactorKinds,
}

impl Rights {
    /// `scopes` without those that the account has no right for: `admin` is for administrators and
    /// managers. A token never says more than its owner may.
    ///
    /// A full sign-in keeps all scopes. It acts as its account, as a browser does.
    pub(crate) fn grantable(&self, scopes: Scopes) -> Scopes {
        let may_administer =
            self.account.administrator || self.roles.values().any(|role| *role == Role::Manager);
        if may_administer || scopes == Scopes::ALL {
            scopes
        } else {
            scopes.without(Scope::Administer)
        }
    }
}

/// A session that was live when it was loaded.
#[derive(Debug)]
pub(crate) struct CachedSession {
    pub(crate) session: Arc<Session>,
    /// The time of the last request, in microseconds since 1970.
    last_seen_us: AtomicI64,
    /// The last request time that was written to the store.
    stored_us: AtomicI64,
    /// GCRA theoretical arrival time of the next request, in microseconds since 1970 (see
    /// `consume_rate`).
    rate_tat: AtomicI64,
}

impl CachedSession {
    fn new(session: Session) -> Self {
        let seen = session.last_seen.as_microsecond();
        // The first use of a personal token is stored at once, so that the token no longer counts
        // as unused.
        let unused =
            session.kind == SessionKind::Personal && session.last_seen == session.auth_time;
        let stored = if unused { 0 } else { seen };
        Self {
            session: Arc::new(session),
            last_seen_us: AtomicI64::new(seen),
            stored_us: AtomicI64::new(stored),
            rate_tat: AtomicI64::new(0),
        }
    }

    /// `idle` is the longest idle timeout.
    pub(crate) fn is_live(&self, idle: Duration, now: Timestamp) -> bool {
        // Personal tokens have no idle timeout: a script may run once a quarter.
        let never_idle = self.session.kind == SessionKind::Personal;
        now < self.session.expires_at
            && (never_idle
                || now
                    < clock::add(
                        self.last_seen().min(now),
                        self.session.persistence.idle_timeout(idle),
                    ))
    }

    pub(crate) fn last_seen(&self) -> Timestamp {
        Timestamp::from_microsecond(self.last_seen_us.load(Ordering::Relaxed))
            .unwrap_or(self.session.last_seen)
    }

    /// Counts one request against `per_minute`, with a burst of `per_minute`. Lock-free generic
    /// cell rate algorithm (GCRA, ITU-T I.371).
    ///
    /// Not the crate governor: its limiter must not see a clock that is set back, and a clock that
    /// hides this needs a lock on the path of every request.
    ///
    /// # Errors
    /// The time until the next request is allowed. A rejected request costs nothing.
    pub(crate) fn consume_rate(&self, now: Timestamp, per_minute: u32) -> Result<(), Duration> {
        const MINUTE: i64 = 60_000_000;
        let (now, each) = (now.as_microsecond(), MINUTE / i64::from(per_minute.max(1)));
        // Clamps the state to one minute ahead, so that a clock set back does not block the
        // session.
        self.rate_tat.fetch_min(now + MINUTE, Ordering::Relaxed);
        let next = |due: i64| due.max(now) + each;
        let admit = |due| Some(next(due)).filter(|next| *next <= now + MINUTE);
        let rejected = self
            .rate_tat
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, admit)
            .err();
        rejected.map_or(Ok(()), |due| {
            Err(Duration::from_micros(
                (next(due) - now - MINUTE).unsigned_abs(),
            ))
        })
    }

    /// Records a request. Returns true for one caller per `interval`, which then writes the time to
    /// the store.
    pub(crate) fn touch(&self, now: Timestamp, interval: Duration) -> bool {
        let now_us = now.as_microsecond();
        if clock::is_ahead(self.last_seen(), now) {
            self.last_seen_us.store(now_us, Ordering::Relaxed);
        }
        self.last_seen_us.fetch_max(now_us, Ordering::Relaxed);
        let stored = self.stored_us.load(Ordering::Relaxed);
        let due = Timestamp::from_microsecond(stored)
            .is_ok_and(|stored| clock::is_ahead(stored, now) || clock::add(stored, interval) < now);
        due && self
            .stored_us
            .compare_exchange(stored, now_us, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

#[derive(Clone, Debug)]
pub(crate) enum CacheEntry {
    Live(Arc<CachedSession>),
    /// Ended, expired or unknown.
    Ended,
}

/// Cache version. Values loaded before the latest invalidation of their account are discarded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheVersion(u64);

/// The account and session that a ticket or cookie belongs to.
pub(crate) type SessionRef = (Username, SessionId);

#[derive(Clone, Debug)]
pub(crate) enum SecretOwner {
    Session(SessionRef),
    /// Safe to cache: cookies are random, so an unknown one never becomes valid.
    None,
}

#[derive(Debug, Default)]
struct CachedAccount {
    rights: Option<Arc<Rights>>,
    sessions: HashMap<SessionId, CacheEntry>,
}

#[derive(Debug, Default)]
struct CacheState {
    accounts: HashMap<Username, CachedAccount>,
    /// Total number of sessions in `accounts`.
    sessions: usize,
    cookies: HashMap<TokenHash, SecretOwner>,
    tickets: TicketStore,
    realms: HashMap<RealmName, Realm>,
    /// Number of invalidations, and their latest accounts, newest last.
    invalidations: u64,
    invalidated: VecDeque<Username>,
}

/// The cache; see the module documentation.
#[derive(Debug)]
pub(crate) struct SessionCache {
    state: RwLock<CacheState>,
    load_locks: [Mutex<()>; LOAD_LOCKS],
    hash_builder: RandomState,
    changes: watch::Sender<u64>,
}

impl SessionCache {
    pub(crate) fn new() -> Self {
        Self {
            state: RwLock::default(),
            load_locks: std::array::from_fn(|_| Mutex::default()),
            hash_builder: RandomState::new(),
            changes: watch::Sender::new(0),
        }
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The lock to hold while loading the value of `key`, so that concurrent misses cause one load.
    pub(crate) fn load_lock(&self, key: &impl Hash) -> &Mutex<()> {
        let n = self.hash_builder.hash_one(key) % LOAD_LOCKS as u64;
        &self.load_locks[usize::try_from(n).unwrap_or_default()]
    }

    pub(crate) fn version(&self) -> CacheVersion {
        CacheVersion(self.read().invalidations)
    }

    /// Returns session and rights under one read lock, for the path of every request.
    pub(crate) fn look_up(
        &self,
        username: &Username,
        id: &SessionId,
    ) -> (Option<CacheEntry>, Option<Arc<Rights>>) {
        let state = self.read();
        match state.accounts.get(username) {
            Some(account) => (account.sessions.get(id).cloned(), account.rights.clone()),
            None => (None, None),
        }
    }

    /// Caches a session loaded at `version`, unless the account was invalidated since.
    pub(crate) fn insert_session(
        &self,
        version: CacheVersion,
        session: Session,
    ) -> Arc<CachedSession> {
        let (username, id) = (session.username.clone(), session.id.clone());
        let cached = Arc::new(CachedSession::new(session));
        self.insert(
            version,
            &username,
            id,
            CacheEntry::Live(Arc::clone(&cached)),
        );
        cached
    }

    pub(crate) fn insert_ended(&self, version: CacheVersion, username: &Username, id: SessionId) {
        self.insert(version, username, id, CacheEntry::Ended);
    }

    fn insert(&self, version: CacheVersion, username: &Username, id: SessionId, entry: CacheEntry) {
        let mut state = self.write();
        if !state.is_unchanged_since(version, username) {
            return;
        }
        state.evict();
        let account = state.accounts.entry(username.clone()).or_default();
        if account.sessions.insert(id, entry).is_none() {
            state.sessions += 1;
        }
    }

    pub(crate) fn insert_rights(&self, version: CacheVersion, rights: Rights) -> Arc<Rights> {
        let rights = Arc::new(rights);
        let mut state = self.write();
        let username = &rights.account.username;
        if state.is_unchanged_since(version, username) {
            state.evict();
            state.accounts.entry(username.clone()).or_default().rights = Some(Arc::clone(&rights));
        }
        rights
    }

    /// Drops all entries of these accounts. Increments [`changes`](Self::changes).
    pub(crate) fn invalidate<'a>(&self, usernames: impl IntoIterator<Item = &'a Username>) {
        let mut state = self.write();
        for username in usernames {
            state.invalidate(username);
        }
        drop(state);
        self.changes.send_modify(|n| *n += 1);
    }

    pub(crate) fn cookie(&self, cookie: &TokenHash) -> Option<SecretOwner> {
        self.read().cookies.get(cookie).cloned()
    }

    pub(crate) fn insert_cookie(&self, cookie: TokenHash, owner: SecretOwner) {
        let mut state = self.write();
        evict(&mut state.cookies, MAX_COOKIES);
        state.cookies.insert(cookie, owner);
    }

    pub(crate) fn insert_ticket(&self, hash: TokenHash, ticket: Ticket, now: Timestamp) {
        self.write().tickets.insert(hash, ticket, now);
    }

    /// Returns and removes the ticket.
    pub(crate) fn consume_ticket(&self, hash: &TokenHash, now: Timestamp) -> Option<Ticket> {
        self.write().tickets.consume(hash, now)
    }

    pub(crate) fn realm(&self, name: &RealmName) -> Option<Realm> {
        self.read().realms.get(name).cloned()
    }

    pub(crate) fn replace_realms(&self, realms: &[Realm]) {
        self.write().realms = realms
            .iter()
            .map(|realm| (realm.name.clone(), realm.clone()))
            .collect();
    }

    // A poisoned lock is still usable: every step leaves the state consistent.
    fn read(&self) -> RwLockReadGuard<'_, CacheState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, CacheState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CacheState {
    /// Also false if the log no longer reaches back to `version`.
    fn is_unchanged_since(&self, version: CacheVersion, username: &Username) -> bool {
        let since = usize::try_from(self.invalidations - version.0).unwrap_or(usize::MAX);
        since <= self.invalidated.len()
            && !self
                .invalidated
                .iter()
                .rev()
                .take(since)
                .any(|name| name == username)
    }

    fn invalidate(&mut self, username: &Username) {
        self.remove_account(username);
        if self.invalidated.len() == INVALIDATION_LOG {
            self.invalidated.pop_front();
        }
        self.invalidated.push_back(username.clone());
        self.invalidations += 1;
    }

    fn remove_account(&mut self, username: &Username) {
        if let Some(account) = self.accounts.remove(username) {
            self.sessions -= account.sessions.len();
        }
    }

    /// Evicts arbitrary accounts down to nine tenths of the limit. An LRU order would cost a write
    /// on every request.
    fn evict(&mut self) {
        if self.sessions < MAX_SESSIONS && self.accounts.len() < MAX_SESSIONS {
            return;
        }
        let target = MAX_SESSIONS - MAX_SESSIONS / 10;
        while self.sessions > target || self.accounts.len() > target {
            let Some(username) = self.accounts.keys().next().cloned() else {
                return;
            };
            self.remove_account(&username);
        }
    }
}

/// Drops a tenth of a map that has reached `max` entries.
fn evict<K, V>(map: &mut HashMap<K, V>, max: usize) {
    if map.len() < max {
        return;
    }
    let mut n = 0;
    map.retain(|_, _| {
        n += 1;
        n % 10 != 0
    });
}

#[cfg(test)]
mod tests;
