//! The queue for a core. Attempts from sources that the account knows go before all others, so a flood
//! of wrong passwords from many addresses delays the flood and not the users.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// The place of a hash in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashPriority {
    /// A device or network that the account has signed in from, a session, or a valid link.
    Familiar,
    /// All others. A quarter of the cores is not for them, and every core takes a familiar one first,
    /// except for one grant in four.
    Unfamiliar,
}

/// While both wait, this many familiar ones get a core before an unfamiliar one.
const FAMILIAR_IN_A_ROW: u32 = 3;

/// The cores and who waits for them. Cheap to clone; clones share them.
#[derive(Clone)]
pub(super) struct CoreQueue(Arc<Mutex<Cores>>);

struct Cores {
    free: usize,
    /// Cores that unfamiliar ones may use at once, and those that they use.
    unfamiliar_max: usize,
    unfamiliar: usize,
    familiar_in_a_row: u32,
    waiting_familiar: VecDeque<oneshot::Sender<CoreGuard>>,
    waiting_unfamiliar: VecDeque<oneshot::Sender<CoreGuard>>,
}

/// A core, until dropped.
#[derive(Debug)]
pub(super) struct CoreGuard {
    priority: HashPriority,
    /// `None` if it was not handed over.
    queue: Option<CoreQueue>,
}

impl CoreQueue {
    pub(super) fn new(cores: usize) -> Self {
        Self(Arc::new(Mutex::new(Cores {
            free: cores,
            unfamiliar_max: cores - cores / 4,
            unfamiliar: 0,
            familiar_in_a_row: 0,
            waiting_familiar: VecDeque::new(),
            waiting_unfamiliar: VecDeque::new(),
        })))
    }

    /// Waits for a core. Dropping the future gives the place up.
    pub(super) async fn acquire(&self, priority: HashPriority) -> Option<CoreGuard> {
        self.join(priority).await.ok()
    }

    fn join(&self, priority: HashPriority) -> oneshot::Receiver<CoreGuard> {
        let (sender, receiver) = oneshot::channel();
        let mut cores = self.cores();
        let queue = cores.waiting(priority);
        // The places of requests that have given up.
        queue.retain(|waiting| !waiting.is_closed());
        queue.push_back(sender);
        self.hand_out(&mut cores);
        receiver
    }

    /// Gives free cores to those that wait, as long as one may have one.
    fn hand_out(&self, cores: &mut Cores) {
        while let Some((priority, waiting)) = cores.next() {
            let core = CoreGuard {
                priority,
                queue: Some(self.clone()),
            };
            match waiting.send(core) {
                Ok(()) => cores.grant(priority),
                // Dropped here, while the queue is locked.
                Err(mut unclaimed) => unclaimed.queue = None,
            }
        }
    }

    fn cores(&self) -> MutexGuard<'_, Cores> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.cores().free
    }
}

impl Cores {
    fn waiting(&mut self, priority: HashPriority) -> &mut VecDeque<oneshot::Sender<CoreGuard>> {
        match priority {
            HashPriority::Familiar => &mut self.waiting_familiar,
            HashPriority::Unfamiliar => &mut self.waiting_unfamiliar,
        }
    }

    /// The next one that gets a core, in the order of arrival within its priority.
    fn next(&mut self) -> Option<(HashPriority, oneshot::Sender<CoreGuard>)> {
        if self.free == 0 {
            return None;
        }
        let unfamiliar_may =
            self.unfamiliar < self.unfamiliar_max && !self.waiting_unfamiliar.is_empty();
        let familiar_first =
            self.familiar_in_a_row < FAMILIAR_IN_A_ROW && !self.waiting_familiar.is_empty();
        let priority = if familiar_first || !unfamiliar_may {
            HashPriority::Familiar
        } else {
            HashPriority::Unfamiliar
        };
        let waiting = self.waiting(priority).pop_front()?;
        Some((priority, waiting))
    }

    fn grant(&mut self, priority: HashPriority) {
        self.free -= 1;
        match priority {
            HashPriority::Familiar if self.waiting_unfamiliar.is_empty() => {
                self.familiar_in_a_row = 0;
            }
            HashPriority::Familiar => self.familiar_in_a_row += 1,
            HashPriority::Unfamiliar => {
                self.familiar_in_a_row = 0;
                self.unfamiliar += 1;
            }
        }
    }
}

impl Drop for CoreGuard {
    fn drop(&mut self) {
        let Some(queue) = self.queue.take() else {
            return;
        };
        let mut cores = queue.cores();
        cores.free += 1;
        if self.priority == HashPriority::Unfamiliar {
            cores.unfamiliar -= 1;
        }
        queue.hand_out(&mut cores);
    }
}

impl std::fmt::Debug for CoreQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CoreQueue")
    }
}

#[cfg(test)]
mod tests;
