//! The connections of the process, and which of them is closed for a new one.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use tokio::time::Instant;

/// A connection that has waited shorter since a response is not closed: the response may still be on
/// its way.
const MIN_IDLE_TIME: Duration = Duration::from_millis(250);

/// The connections that are open. Cheap to clone; clones share them.
#[derive(Clone)]
pub(crate) struct ConnectionBudget(Arc<Connections>);

struct Connections {
    max: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next_id: u64,
    connections: HashMap<u64, Arc<Connection>>,
}

/// One connection. A request holds it while it runs.
pub(crate) struct Connection {
    requests: AtomicU32,
    state: Mutex<State>,
    closing: AtomicBool,
}

struct State {
    waiting_since: Instant,
    has_answered: bool,
    reader: Option<Waker>,
}

/// The place of a connection in the budget, until dropped.
pub(crate) struct Admission {
    id: u64,
    budget: ConnectionBudget,
    connection: Arc<Connection>,
}

/// A request that runs. Its connection is not closed for others.
pub(crate) struct Running(Arc<Connection>);

impl ConnectionBudget {
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(Connections {
            max,
            open: Mutex::default(),
        }))
    }

    /// Admits a new connection. If all places are taken, the connection that has waited longest for
    /// its client is closed. `None` if each of them runs a request.
    pub(crate) fn admit(&self) -> Option<Admission> {
        let mut open = self.open();
        if open.connections.len() >= self.0.max {
            let id = open.longest_waiting()?;
            let idle = open.connections.remove(&id)?;
            idle.close();
            metrics::counter!("strongroom_connections_closed_total", "reason" => "idle")
                .increment(1);
        }
        open.next_id += 1;
        let (id, connection) = (open.next_id, Arc::new(Connection::new()));
        open.connections.insert(id, connection.clone());
        drop(open);
        Some(Admission {
            id,
            budget: self.clone(),
            connection,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn longest_waiting(&self) -> Option<u64> {
        let now = Instant::now();
        let waiting = self
            .connections
            .iter()
            .filter_map(|(id, connection)| Some((connection.closable_since(now)?, *id)));
        waiting.min().map(|(_, id)| id)
    }
}

impl Connection {
    fn new() -> Self {
        let waiting = State {
            waiting_since: Instant::now(),
            has_answered: false,
            reader: None,
        };
        Self {
            requests: AtomicU32::new(0),
            state: Mutex::new(waiting),
            closing: AtomicBool::new(false),
        }
    }

    /// Until the result is dropped, the connection is not closed for others.
    pub(crate) fn run(self: &Arc<Self>) -> Running {
        self.requests.fetch_add(1, Ordering::AcqRel);
        Running(self.clone())
    }

    /// It is a socket now, which ends by itself.
    pub(super) fn run_until_closed(&self) {
        self.requests.fetch_add(1, Ordering::AcqRel);
    }

    /// Since when it has waited for its client. `None` while a request runs or was just answered.
    fn closable_since(&self, now: Instant) -> Option<Instant> {
        if self.requests.load(Ordering::Acquire) > 0 {
            return None;
        }
        let state = self.state();
        let was_just_answered = state.has_answered && now - state.waiting_since < MIN_IDLE_TIME;
        (!was_just_answered).then_some(state.waiting_since)
    }

    fn close(&self) {
        self.closing.store(true, Ordering::Release);
        if let Some(reader) = self.state().reader.take() {
            reader.wake();
        }
    }

    /// Whether it is to end. Otherwise wakes the task when it is.
    pub(super) fn poll_closing(&self, context: &Context<'_>) -> bool {
        let mut state = self.state();
        match &mut state.reader {
            Some(reader) => reader.clone_from(context.waker()),
            reader => *reader = Some(context.waker().clone()),
        }
        drop(state);
        self.is_closing()
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting_since = Instant::now();
        state.has_answered = true;
        drop(state);
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Admission {
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.budget.open().connections.remove(&self.id);
    }
}

impl fmt::Debug for ConnectionBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionBudget")
            .field("max", &self.0.max)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn idle() {
        tokio::time::advance(MIN_IDLE_TIME).await;
    }

    #[tokio::test(start_paused = true)]
    async fn longest_waiting_connection_is_closed_for_new_one() {
        let budget = ConnectionBudget::new(3);
        let first = budget.admit().unwrap();
        idle().await;
        let second = budget.admit().unwrap();
        let third = budget.admit().unwrap();
        idle().await;
        // The first one answers a request.
        drop(first.connection().run());
        idle().await;
        let running = third.connection().run();
        let fourth = budget.admit().unwrap();
        let closed = |admission: &Admission| admission.connection().is_closing();
        assert!(closed(&second), "it has waited longest");
        assert!(![&first, &third, &fourth].into_iter().any(closed));
        idle().await;
        let _fifth = budget.admit().unwrap();
        assert!(closed(&first) && !closed(&third) && !closed(&fourth));
        drop(running);
        drop((second, first));
        assert_eq!(budget.open().connections.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn running_connections_are_not_closed_for_new_ones() {
        let budget = ConnectionBudget::new(2);
        let open = [budget.admit().unwrap(), budget.admit().unwrap()];
        let running: Vec<_> = open.iter().map(|one| one.connection().run()).collect();
        idle().await;
        assert!(budget.admit().is_none());
        drop(running);
        assert!(budget.admit().is_none(), "the response may be on its way");
        idle().await;
        assert!(budget.admit().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn closed_connection_gives_its_place_back() {
        let budget = ConnectionBudget::new(1);
        drop(budget.admit().unwrap());
        assert!(budget.admit().is_some());
    }
}
