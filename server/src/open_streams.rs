//! The sockets, event streams and transfers that are open, and their limits for each session, account
//! and network. One caller cannot take the descriptors of the others.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use auth::{Caller, SessionId, Username, store::NetworkPrefix};

use crate::{descriptors::Descriptors, error::Problem};

/// The kind of a stream; each has limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// A socket or an event stream.
    Live,
    /// An upload, or a download that is longer than a buffer.
    Transfer,
}

/// The most streams of one kind.
#[derive(Clone, Copy, Debug)]
struct Limits {
    session: usize,
    account: usize,
    network: usize,
    total: usize,
}

/// A browser that restores a hundred tabs stays far below these.
const MAX_LIVE: Limits = Limits {
    session: 2048,
    account: 4096,
    network: 16_384,
    total: usize::MAX,
};
const MAX_TRANSFERS: Limits = Limits {
    session: 1024,
    account: 2048,
    network: 4096,
    total: usize::MAX,
};

impl Limits {
    /// Within `total`: half for a session or an account, seven eighths for a network.
    fn within(self, total: usize) -> Self {
        let half = (total / 2).max(1);
        Self {
            session: self.session.min(half),
            account: self.account.min(half),
            network: self.network.min(total - total / 8).max(1),
            total,
        }
    }
}

/// The open streams of the process. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct OpenStreams(Arc<StreamCounts>);

struct StreamCounts {
    live: Counted,
    transfers: Counted,
}

struct Counted {
    limits: Limits,
    open: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    sessions: HashMap<SessionId, usize>,
    accounts: HashMap<Username, usize>,
    networks: HashMap<NetworkPrefix, usize>,
    total: usize,
}

/// The place of one stream, until dropped.
pub struct StreamSlot {
    streams: OpenStreams,
    kind: StreamKind,
    owner: StreamOwner,
}

/// What a stream counts for.
#[derive(Clone, Debug)]
struct StreamOwner {
    session: SessionId,
    account: Username,
    networks: Vec<NetworkPrefix>,
}

impl OpenStreams {
    pub(crate) fn new(descriptors: Descriptors) -> Self {
        Self(Arc::new(StreamCounts {
            live: Counted::new(MAX_LIVE.within(descriptors.live_streams)),
            transfers: Counted::new(MAX_TRANSFERS.within(descriptors.transfers)),
        }))
    }

    /// # Errors
    /// [`Problem::TooManyStreams`] beyond a limit of the caller, [`Problem::NoFreeStream`] if the
    /// streams of all are too many.
    pub fn open(
        &self,
        kind: StreamKind,
        caller: &Caller,
        address: IpAddr,
    ) -> Result<StreamSlot, Problem> {
        self.open_for(
            kind,
            StreamOwner {
                session: caller.session().id.clone(),
                account: caller.account().username.clone(),
                networks: NetworkPrefix::all_of(address).collect(),
            },
        )
    }

    /// For a transfer, whose caller knows where it comes from.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_transfer(&self, caller: &Caller) -> Result<StreamSlot, Problem> {
        let origin = caller.origin().ok_or_else(|| {
            Problem::Internal("the caller of a transfer has no address".to_owned())
        })?;
        self.open(StreamKind::Transfer, caller, origin.address)
    }

    fn open_for(&self, kind: StreamKind, owner: StreamOwner) -> Result<StreamSlot, Problem> {
        self.counted(kind).add(&owner)?;
        Ok(StreamSlot {
            streams: self.clone(),
            kind,
            owner,
        })
    }

    fn counted(&self, kind: StreamKind) -> &Counted {
        match kind {
            StreamKind::Live => &self.0.live,
            StreamKind::Transfer => &self.0.transfers,
        }
    }
}

impl Counted {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            open: Mutex::default(),
        }
    }

    fn add(&self, owner: &StreamOwner) -> Result<(), Problem> {
        let limits = &self.limits;
        let mut open = self.open();
        let refused = |subject, limit| Problem::TooManyStreams { subject, limit };
        if count(&open.sessions, &owner.session) >= limits.session {
            return Err(refused("session", limits.session));
        }
        if count(&open.accounts, &owner.account) >= limits.account {
            return Err(refused("account", limits.account));
        }
        let full = |network: &NetworkPrefix| count(&open.networks, network) >= limits.network;
        if owner.networks.iter().any(full) {
            return Err(refused("network", limits.network));
        }
        if open.total >= limits.total {
            return Err(Problem::NoFreeStream);
        }
        open.total += 1;
        increment(&mut open.sessions, &owner.session);
        increment(&mut open.accounts, &owner.account);
        for network in &owner.networks {
            increment(&mut open.networks, network);
        }
        Ok(())
    }

    fn remove(&self, owner: &StreamOwner) {
        let mut open = self.open();
        open.total = open.total.saturating_sub(1);
        decrement(&mut open.sessions, &owner.session);
        decrement(&mut open.accounts, &owner.account);
        for network in &owner.networks {
            decrement(&mut open.networks, network);
        }
    }

    fn open(&self) -> MutexGuard<'_, Counts> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count<K: Hash + Eq>(counts: &HashMap<K, usize>, key: &K) -> usize {
    counts.get(key).copied().unwrap_or_default()
}

fn increment<K: Hash + Eq + Clone>(counts: &mut HashMap<K, usize>, key: &K) {
    *counts.entry(key.clone()).or_default() += 1;
}

fn decrement<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.streams.counted(self.kind).remove(&self.owner);
    }
}

impl fmt::Debug for OpenStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenStreams")
    }
}

impl fmt::Debug for StreamSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamSlot({:?})", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(account: &str, session: &str, address: &str) -> StreamOwner {
        StreamOwner {
            session: SessionId::new(session),
            account: Username::parse(account).unwrap(),
            networks: NetworkPrefix::all_of(address.parse().unwrap()).collect(),
        }
    }

    fn streams() -> OpenStreams {
        OpenStreams::new(Descriptors {
            connections: 128,
            live_streams: 96,
            transfers: 16,
        })
    }

    /// How many streams open for these owners, one after another.
    fn opened(
        streams: &OpenStreams,
        kind: StreamKind,
        owners: impl Iterator<Item = StreamOwner>,
    ) -> (Vec<StreamSlot>, Problem) {
        let mut open = Vec::new();
        for owner in owners.take(10_000) {
            match streams.open_for(kind, owner) {
                Ok(slot) => open.push(slot),
                Err(refused) => return (open, refused),
            }
        }
        panic!("no limit");
    }

    #[test]
    fn one_session_and_account_leave_half_to_others() {
        let streams = streams();
        let one_session = std::iter::repeat_with(|| owner("ada", "s1", "192.0.2.1"));
        let (open, refused) = opened(&streams, StreamKind::Live, one_session);
        assert_eq!(open.len(), 48);
        assert!(matches!(
            refused,
            Problem::TooManyStreams {
                subject: "session",
                limit: 48
            }
        ));
        let other_sessions = (0..).map(|n| owner("ada", &format!("s{n}x"), "192.0.2.1"));
        let (more, refused) = opened(&streams, StreamKind::Live, other_sessions);
        assert!(more.is_empty());
        assert!(matches!(
            refused,
            Problem::TooManyStreams {
                subject: "account",
                limit: 48
            }
        ));
        assert!(
            streams
                .open_for(StreamKind::Live, owner("bob", "b", "192.0.2.1"))
                .is_ok()
        );
        assert!(
            streams
                .open_for(StreamKind::Transfer, owner("ada", "s1", "192.0.2.1"))
                .is_ok(),
            "each kind has limits of its own"
        );
        drop(open);
        assert!(
            streams
                .open_for(StreamKind::Live, owner("ada", "s1", "192.0.2.1"))
                .is_ok()
        );
    }

    #[test]
    fn one_network_leaves_streams_to_others() {
        let streams = streams();
        for kind in [StreamKind::Live, StreamKind::Transfer] {
            let crowd = (0..).map(|n| {
                let name = format!("user{n}");
                owner(&name, &name, &format!("2001:db8:1:{n:x}::1"))
            });
            let (open, refused) = opened(&streams, kind, crowd);
            assert!(matches!(
                refused,
                Problem::TooManyStreams {
                    subject: "network",
                    ..
                }
            ));
            assert!(open.len() >= 14);
            assert!(
                streams
                    .open_for(kind, owner("ada", "s", "198.51.100.1"))
                    .is_ok()
            );
        }
    }

    #[test]
    fn streams_of_all_are_bounded() {
        let streams = streams();
        let all = (0..).map(|n| {
            let name = format!("user{n}");
            owner(&name, &name, &format!("198.51.{}.{}", n / 200, n % 200))
        });
        let (open, refused) = opened(&streams, StreamKind::Live, all);
        assert!(matches!(refused, Problem::NoFreeStream));
        assert_eq!(open.len(), 96);
        drop(open);
        let counts = streams.0.live.open();
        assert_eq!(
            (counts.total, counts.sessions.len(), counts.networks.len()),
            (0, 0, 0)
        );
    }
}
