//! Tickets: good once, for a moment, and few for each session.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use super::{SessionRef, evict};
use crate::{Scopes, SessionId, TokenHash};

const MOST: usize = 10_000;
/// One session has no use for more at once: the oldest makes room, and nobody else's does.
const MOST_OF_ONE: usize = 16;

#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) whose: SessionRef,
    /// What the token may do that it was asked for with.
    pub(crate) grants: Scopes,
    pub(crate) until: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct TicketStore {
    live: HashMap<TokenHash, Ticket>,
    /// Oldest first.
    of: HashMap<SessionId, VecDeque<TokenHash>>,
}

impl TicketStore {
    pub(super) fn add(&mut self, hash: TokenHash, ticket: Ticket, now: Timestamp) {
        if self.live.len() >= MOST {
            self.evict(now);
        }
        let theirs = self.of.entry(ticket.whose.1.clone()).or_default();
        if theirs.len() == MOST_OF_ONE
            && let Some(oldest) = theirs.pop_front()
        {
            self.live.remove(&oldest);
        }
        theirs.push_back(hash.clone());
        self.live.insert(hash, ticket);
    }

    /// The first time only.
    pub(super) fn take(&mut self, hash: &TokenHash, now: Timestamp) -> Option<Ticket> {
        let ticket = self.live.remove(hash)?;
        let session = &ticket.whose.1;
        if let Some(theirs) = self.of.get_mut(session) {
            theirs.retain(|one| one != hash);
            if theirs.is_empty() {
                self.of.remove(session);
            }
        }
        (now < ticket.until).then_some(ticket)
    }

    fn evict(&mut self, now: Timestamp) {
        self.live.retain(|_, ticket| now < ticket.until);
        evict(&mut self.live, MOST);
        let live = &self.live;
        self.of.retain(|_, theirs| {
            theirs.retain(|one| live.contains_key(one));
            !theirs.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Username;

    fn hash(n: usize) -> TokenHash {
        TokenHash::new(&n.to_string())
    }

    fn ticket(session: &str, until: i64) -> Ticket {
        let whose = (Username::parse("ada").unwrap(), SessionId::new(session));
        Ticket {
            whose,
            grants: Scopes::ALL,
            until: Timestamp::from_second(until).unwrap(),
        }
    }

    #[test]
    fn session_holds_at_most_sixteen_live_tickets() {
        let (mut tickets, now) = (TicketStore::default(), Timestamp::from_second(0).unwrap());
        tickets.add(hash(5_000), ticket("bobs", 30), now);
        for n in 0..1_000 {
            tickets.add(hash(n), ticket("adas", 30), now);
        }
        assert!(tickets.take(&hash(983), now).is_none());
        assert!(tickets.take(&hash(984), now).is_some() && tickets.take(&hash(984), now).is_none());
        assert!(tickets.take(&hash(999), now).is_some());
        assert!(tickets.take(&hash(5_000), now).is_some());
        assert_eq!((tickets.live.len(), tickets.of.len()), (14, 1));
    }

    #[test]
    fn ticket_store_size_is_bounded_across_sessions() {
        let (mut tickets, now) = (TicketStore::default(), Timestamp::from_second(0).unwrap());
        for n in 0..3 * MOST {
            tickets.add(hash(n), ticket(&n.to_string(), 30), now);
            assert!(tickets.live.len() <= MOST && tickets.of.len() == tickets.live.len());
        }
        tickets.add(
            hash(0),
            ticket("late", 90),
            Timestamp::from_second(60).unwrap(),
        );
    }
}
