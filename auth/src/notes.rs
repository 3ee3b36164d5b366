//! Which refusals are worth an entry in the audit: the first of its kind, and then one in ten minutes that tells how
//! many there were. A flood writes nothing.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::clock;

const PAUSE: Duration = Duration::from_mins(10);
/// Kinds that are remembered; further ones are counted by the metrics only.
const REMEMBERED: usize = 10_000;

/// When something of each kind `K` was last told.
#[derive(Debug)]
pub(crate) struct Notes<K>(Mutex<HashMap<K, Note>>);

#[derive(Debug)]
struct Note {
    at: Timestamp,
    since: u64,
}

impl<K> Default for Notes<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash> Notes<K> {
    /// `Some` with the number of refusals since the last entry, this one included, when one is due.
    pub(crate) fn due(&self, kind: &K, now: Timestamp) -> Option<u64> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(note) = notes.get_mut(kind) {
            note.since += 1;
            if clock::between(note.at, now) < PAUSE {
                return None;
            }
            note.at = now;
            return Some(std::mem::take(&mut note.since));
        }
        if notes.len() >= REMEMBERED {
            notes.retain(|_, note| clock::between(note.at, now) < PAUSE);
        }
        if notes.len() >= REMEMBERED {
            return None;
        }
        notes.insert(kind.clone(), Note { at: now, since: 0 });
        Some(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Bucket, Network, Tries};

    #[test]
    fn repeated_denials_are_audited_every_ten_minutes() {
        let (notes, start) = (
            Notes::default(),
            Timestamp::from_second(1_800_000_000).unwrap(),
        );
        let bucket = Bucket::Network(Tries::Guesses, Network::parse("192.0.2.1").unwrap());
        let entries: Vec<u64> = (0..=600)
            .filter_map(|second| {
                notes.due(&bucket, clock::after(start, Duration::from_secs(second)))
            })
            .collect();
        assert_eq!(entries, [1, 600]);
    }

    #[test]
    fn denial_audit_memory_is_bounded() {
        let (notes, start) = (
            Notes::default(),
            Timestamp::from_second(1_800_000_000).unwrap(),
        );
        let bucket = |n: u32| {
            Bucket::Network(
                Tries::Guesses,
                Network::of(std::net::Ipv4Addr::from(n).into()),
            )
        };
        for n in 0..2 * u32::try_from(REMEMBERED).unwrap() {
            notes.due(&bucket(n), start);
        }
        assert_eq!(notes.0.lock().unwrap().len(), REMEMBERED);
        assert_eq!(
            notes.due(&bucket(u32::MAX), clock::after(start, PAUSE)),
            Some(1)
        );
    }
}
