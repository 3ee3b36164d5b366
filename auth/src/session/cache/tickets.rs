//! Tickets for `WebSockets` and event streams: single-use, short-lived, and bounded per session.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;

use super::{SessionRef, evict};
use crate::{Scopes, SessionId, TokenHash, clock};

/// Time from issue to use.
pub(crate) const TICKET_LIFETIME: Duration = Duration::from_secs(30);
const MAX_TICKETS: usize = 20_000;
/// Upper bound per session: a browser that restores its tabs asks for one for each. The oldest
/// ticket of the same session is dropped; other sessions are unaffected.
const MAX_PER_SESSION: usize = 128;

#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) session: SessionRef,
    /// The scopes of the token that requested the ticket.
    pub(crate) scopes: Scopes,
    pub(crate) expires_at: Timestamp,
}

impl Ticket {
    /// Before it expires, and not longer than its lifetime after a clock was set back.
    fn is_live(&self, now: Timestamp) -> bool {
        let created_at = clock::sub(self.expires_at, TICKET_LIFETIME);
        clock::is_within(created_at, TICKET_LIFETIME, now)
    }
}

#[derive(Debug, Default)]
pub(crate) struct TicketStore {
    live: HashMap<TokenHash, Ticket>,
    /// Oldest first.
    by_session: HashMap<SessionId, VecDeque<TokenHash>>,
}

impl TicketStore {
    pub(crate) fn insert(&mut self, hash: TokenHash, ticket: Ticket, now: Timestamp) {
        if self.live.len() >= MAX_TICKETS {
            self.evict(now);
        }
        let hashes = self.by_session.entry(ticket.session.1.clone()).or_default();
        if hashes.len() == MAX_PER_SESSION
            && let Some(oldest) = hashes.pop_front()
        {
            self.live.remove(&oldest);
        }
        hashes.push_back(hash.clone());
        self.live.insert(hash, ticket);
    }

    /// Returns the ticket once, and only before it expires.
    pub(crate) fn consume(&mut self, hash: &TokenHash, now: Timestamp) -> Option<Ticket> {
        let ticket = self.live.remove(hash)?;
        let session = &ticket.session.1;
        if let Some(hashes) = self.by_session.get_mut(session) {
            hashes.retain(|one| one != hash);
            if hashes.is_empty() {
                self.by_session.remove(session);
            }
        }
        ticket.is_live(now).then_some(ticket)
    }

    fn evict(&mut self, now: Timestamp) {
        self.live.retain(|_, ticket| ticket.is_live(now));
        evict(&mut self.live, MAX_TICKETS);
        let live = &self.live;
        self.by_session.retain(|_, hashes| {
            hashes.retain(|one| live.contains_key(one));
            !hashes.is_empty()
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
        let owner = (Username::parse("ada").unwrap(), SessionId::new(session));
        Ticket {
            session: owner,
            scopes: Scopes::ALL,
            expires_at: Timestamp::from_second(until).unwrap(),
        }
    }

    #[test]
    fn waiting_tickets_of_one_session_are_limited() {
        let (mut tickets, now) = (TicketStore::default(), Timestamp::from_second(0).unwrap());
        tickets.insert(hash(5_000), ticket("bobs", 30), now);
        for n in 0..1_000 {
            tickets.insert(hash(n), ticket("adas", 30), now);
        }
        assert!(tickets.consume(&hash(871), now).is_none());
        assert!(
            tickets.consume(&hash(872), now).is_some()
                && tickets.consume(&hash(872), now).is_none()
        );
        assert!(tickets.consume(&hash(999), now).is_some());
        assert!(tickets.consume(&hash(5_000), now).is_some());
        assert_eq!((tickets.live.len(), tickets.by_session.len()), (126, 1));
    }

    #[test]
    fn ticket_store_size_is_bounded_across_sessions() {
        let (mut tickets, now) = (TicketStore::default(), Timestamp::from_second(0).unwrap());
        for n in 0..3 * MAX_TICKETS {
            tickets.insert(hash(n), ticket(&n.to_string(), 30), now);
            assert!(
                tickets.live.len() <= MAX_TICKETS && tickets.by_session.len() == tickets.live.len()
            );
        }
        tickets.insert(
            hash(0),
            ticket("late", 90),
            Timestamp::from_second(60).unwrap(),
        );
    }
}
