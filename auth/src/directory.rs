//! Sessions and rights in memory, so that no request asks the database who is calling.
//!
//! Only what was loaded, forgotten and may be handed out is known here; loading is in `asking`. Everything may be
//! forgotten at any time: it is then loaded anew.

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

pub(crate) use tickets::Ticket;
use tickets::TicketStore;

use crate::{
    Account, FactorKinds, Realm, RealmId, RealmName, Role, Session, SessionId, SessionKind,
    TokenHash, Username, clock,
};

/// Sessions that are remembered at once, the ended ones too.
const MOST_SESSIONS: usize = 50_000;
const MOST_COOKIES: usize = 50_000;
/// How many forgotten accounts are told apart from those that a load may still bring in.
const INVALIDATION_LOG: usize = 1_024;
/// Loads of different accounts that do not wait for each other.
const LANES: usize = 64;

/// What an account may do, as of the last account event.
#[derive(Clone, Debug)]
pub struct Rights {
    pub account: Account,
    pub roles: HashMap<RealmId, Role>,
    /// The second factors that it has.
    pub factors: FactorKinds,
}

/// A session that was alive when it was loaded.
#[derive(Debug)]
pub(crate) struct CachedSession {
    pub(crate) session: Arc<Session>,
    /// The last sign of life, in microseconds since 1970.
    seen: AtomicI64,
    /// The one that the store knows of.
    stored: AtomicI64,
    /// When what was asked so far would be paid for, in microseconds since 1970 (see [`spend`](Self::spend)).
    due: AtomicI64,
}

impl CachedSession {
    fn new(session: Session) -> Self {
        let seen = session.last_seen.as_microsecond();
        // The first use of a personal token is told at once: until then it is one that was never used.
        let unused =
            session.kind == SessionKind::Personal && session.last_seen == session.auth_time;
        let stored = if unused { 0 } else { seen };
        Self {
            session: Arc::new(session),
            seen: AtomicI64::new(seen),
            stored: AtomicI64::new(stored),
            due: AtomicI64::new(0),
        }
    }

    pub(crate) fn is_alive(&self, idle: Duration, now: Timestamp) -> bool {
        // A script may run once a quarter.
        let never_idle = self.session.kind == SessionKind::Personal;
        now < self.session.expires_at && (never_idle || now < clock::add(self.last_seen(), idle))
    }

    pub(crate) fn last_seen(&self) -> Timestamp {
        Timestamp::from_microsecond(self.seen.load(Ordering::Relaxed))
            .unwrap_or(self.session.last_seen)
    }

    /// One request more, of so many a minute; at once as many as there are in a minute (the generic cell rate algorithm,
    /// ITU-T I.371). Without a lock.
    ///
    /// # Errors
    /// How long to wait. Whoever does not is no worse off.
    pub(crate) fn consume_rate(&self, now: Timestamp, per_minute: u32) -> Result<(), Duration> {
        const MINUTE: i64 = 60_000_000;
        let (now, each) = (now.as_microsecond(), MINUTE / i64::from(per_minute.max(1)));
        // It is never further ahead than it can have got: a clock that was set back shuts nobody out.
        self.due.fetch_min(now + MINUTE, Ordering::Relaxed);
        let next = |due: i64| due.max(now) + each;
        let pay = |due| Some(next(due)).filter(|next| *next <= now + MINUTE);
        let unpaid = self
            .due
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay)
            .err();
        unpaid.map_or(Ok(()), |due| {
            Err(Duration::from_micros(
                (next(due) - now - MINUTE).unsigned_abs(),
            ))
        })
    }

    /// Notes a sign of life; true if the store should hear of it, which is told to one caller in `interval`.
    pub(crate) fn touch(&self, now: Timestamp, interval: Duration) -> bool {
        let now_us = now.as_microsecond();
        self.seen.fetch_max(now_us, Ordering::Relaxed);
        let stored = self.stored.load(Ordering::Relaxed);
        let due = Timestamp::from_microsecond(stored)
            .is_ok_and(|stored| clock::add(stored, interval) < now);
        due && self
            .stored
            .compare_exchange(stored, now_us, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

#[derive(Clone, Debug)]
pub(crate) enum CacheEntry {
    Live(Arc<CachedSession>),
    /// Ended, expired, or never there.
    Ended,
}

/// A moment in the life of the directory: what was loaded from before an account was forgotten is not taken in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheVersion(u64);

/// Whose a ticket or a cookie is.
pub(crate) type SessionRef = (Username, SessionId);

#[derive(Clone, Debug)]
pub(crate) enum SecretOwner {
    Session(SessionRef),
    /// Cookies are random: what is nobody's never becomes somebody's.
    None,
}

#[derive(Debug, Default)]
struct CachedAccount {
    rights: Option<Arc<Rights>>,
    sessions: HashMap<SessionId, CacheEntry>,
}

#[derive(Debug, Default)]
struct CacheState {
    people: HashMap<Username, CachedAccount>,
    /// How many sessions `people` have.
    sessions: usize,
    cookies: HashMap<TokenHash, SecretOwner>,
    tickets: TicketStore,
    realms: HashMap<RealmName, Realm>,
    /// How often something was forgotten, and whose it was, newest last.
    forgettings: u64,
    forgotten: VecDeque<Username>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct SessionCache {
    book: RwLock<CacheState>,
    lanes: [Mutex<()>; LANES],
    spread: RandomState,
    changes: watch::Sender<u64>,
}

impl SessionCache {
    pub(crate) fn new() -> Self {
        Self {
            book: RwLock::default(),
            lanes: std::array::from_fn(|_| Mutex::default()),
            spread: RandomState::new(),
            changes: watch::Sender::new(0),
        }
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Whoever loads what belongs to `key` holds this, so that of many who miss it one loads.
    pub(crate) fn load_lock(&self, key: &impl Hash) -> &Mutex<()> {
        let n = self.spread.hash_one(key) % LANES as u64;
        &self.lanes[usize::try_from(n).unwrap_or_default()]
    }

    pub(crate) fn version(&self) -> CacheVersion {
        CacheVersion(self.read().forgettings)
    }

    /// Both in one look, for the way of every request.
    pub(crate) fn look_up(
        &self,
        username: &Username,
        id: &SessionId,
    ) -> (Option<CacheEntry>, Option<Arc<Rights>>) {
        let book = self.read();
        match book.people.get(username) {
            Some(person) => (person.sessions.get(id).cloned(), person.rights.clone()),
            None => (None, None),
        }
    }

    /// Takes in what was loaded since `mark`, unless the account was forgotten meanwhile.
    pub(crate) fn learn_session(&self, mark: CacheVersion, session: Session) -> Arc<CachedSession> {
        let (username, id) = (session.username.clone(), session.id.clone());
        let held = Arc::new(CachedSession::new(session));
        self.learn(mark, &username, id, CacheEntry::Live(Arc::clone(&held)));
        held
    }

    pub(crate) fn learn_over(&self, mark: CacheVersion, username: &Username, id: SessionId) {
        self.learn(mark, username, id, CacheEntry::Ended);
    }

    fn learn(&self, mark: CacheVersion, username: &Username, id: SessionId, known: CacheEntry) {
        let mut book = self.write();
        if !book.is_untouched_since(mark, username) {
            return;
        }
        book.make_room();
        let person = book.people.entry(username.clone()).or_default();
        if person.sessions.insert(id, known).is_none() {
            book.sessions += 1;
        }
    }

    pub(crate) fn learn_rights(&self, mark: CacheVersion, rights: Rights) -> Arc<Rights> {
        let rights = Arc::new(rights);
        let mut book = self.write();
        let username = &rights.account.username;
        if book.is_untouched_since(mark, username) {
            book.make_room();
            book.people.entry(username.clone()).or_default().rights = Some(Arc::clone(&rights));
        }
        rights
    }

    /// Everything about these accounts is to be loaded anew. Ticks [`changes`](Self::changes).
    pub(crate) fn invalidate<'a>(&self, usernames: impl IntoIterator<Item = &'a Username>) {
        let mut book = self.write();
        for username in usernames {
            book.invalidate(username);
        }
        drop(book);
        self.changes.send_modify(|n| *n += 1);
    }

    pub(crate) fn cookie(&self, cookie: &TokenHash) -> Option<SecretOwner> {
        self.read().cookies.get(cookie).cloned()
    }

    pub(crate) fn learn_cookie(&self, cookie: TokenHash, owner: SecretOwner) {
        let mut book = self.write();
        evict(&mut book.cookies, MOST_COOKIES);
        book.cookies.insert(cookie, owner);
    }

    pub(crate) fn add_ticket(&self, hash: TokenHash, ticket: Ticket, now: Timestamp) {
        self.write().tickets.add(hash, ticket, now);
    }

    /// Whose it is; the first time only.
    pub(crate) fn take_ticket(&self, hash: &TokenHash, now: Timestamp) -> Option<Ticket> {
        self.write().tickets.take(hash, now)
    }

    pub(crate) fn realm(&self, name: &RealmName) -> Option<Realm> {
        self.read().realms.get(name).cloned()
    }

    pub(crate) fn learn_realms(&self, realms: &[Realm]) {
        self.write().realms = realms
            .iter()
            .map(|realm| (realm.name.clone(), realm.clone()))
            .collect();
    }

    // A panic while the book was open leaves it readable: every change to it is whole after each step.
    fn read(&self) -> RwLockReadGuard<'_, CacheState> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, CacheState> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CacheState {
    /// False also if it was too long ago to tell.
    fn is_untouched_since(&self, mark: CacheVersion, username: &Username) -> bool {
        let since = usize::try_from(self.forgettings - mark.0).unwrap_or(usize::MAX);
        since <= self.forgotten.len()
            && !self
                .forgotten
                .iter()
                .rev()
                .take(since)
                .any(|name| name == username)
    }

    fn invalidate(&mut self, username: &Username) {
        self.drop_person(username);
        if self.forgotten.len() == INVALIDATION_LOG {
            self.forgotten.pop_front();
        }
        self.forgotten.push_back(username.clone());
        self.forgettings += 1;
    }

    fn drop_person(&mut self, username: &Username) {
        if let Some(person) = self.people.remove(username) {
            self.sessions -= person.sessions.len();
        }
    }

    /// Forgets whoever comes first when it is too much, a tenth at once: there is no order to keep on every request.
    fn make_room(&mut self) {
        if self.sessions < MOST_SESSIONS && self.people.len() < MOST_SESSIONS {
            return;
        }
        let enough = MOST_SESSIONS - MOST_SESSIONS / 10;
        while self.sessions > enough || self.people.len() > enough {
            let Some(username) = self.people.keys().next().cloned() else {
                return;
            };
            self.drop_person(&username);
        }
    }
}

/// Keeps nine tenths of a map that has reached `most`.
fn evict<K, V>(map: &mut HashMap<K, V>, most: usize) {
    if map.len() < most {
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
