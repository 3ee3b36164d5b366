//! Rate limit for audit entries about denials: the first of each key, then one every ten minutes
//! with the count. A flood of denials writes nothing more.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::clock;

const INTERVAL: Duration = Duration::from_mins(10);
/// Keys in memory. Denials of further keys appear in the metrics only.
const MAX_KEYS: usize = 10_000;

/// The last report and the suppressed count of each key `K`.
#[derive(Debug)]
pub(crate) struct RateLimitedEvents<K>(Mutex<HashMap<K, DedupEntry>>);

#[derive(Debug)]
struct DedupEntry {
    at: Timestamp,
    suppressed: u64,
}

impl<K> Default for RateLimitedEvents<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash> RateLimitedEvents<K> {
    /// If an entry is due: the number of denials since the last one, this one included.
    pub(crate) fn should_report(&self, key: &K, now: Timestamp) -> Option<u64> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(key) {
            entry.suppressed += 1;
            if clock::is_within(entry.at, INTERVAL, now) {
                return None;
            }
            entry.at = now;
            return Some(std::mem::take(&mut entry.suppressed));
        }
        if entries.len() >= MAX_KEYS {
            entries.retain(|_, entry| clock::is_within(entry.at, INTERVAL, now));
        }
        if entries.len() >= MAX_KEYS {
            return None;
        }
        entries.insert(
            key.clone(),
            DedupEntry {
                at: now,
                suppressed: 0,
            },
        );
        Some(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Bucket, NetworkPrefix, RateClass};

    #[test]
    fn repeated_denials_are_audited_every_ten_minutes() {
        let (notes, start) = (
            RateLimitedEvents::default(),
            Timestamp::from_second(1_800_000_000).unwrap(),
        );
        let bucket = Bucket::Network(
            RateClass::Guesses,
            NetworkPrefix::parse("192.0.2.1").unwrap(),
        );
        let entries: Vec<u64> = (0..=600)
            .filter_map(|second| {
                notes.should_report(&bucket, clock::add(start, Duration::from_secs(second)))
            })
            .collect();
        assert_eq!(entries, [1, 600]);
    }

    #[test]
    fn denial_audit_memory_is_bounded() {
        let (notes, start) = (
            RateLimitedEvents::default(),
            Timestamp::from_second(1_800_000_000).unwrap(),
        );
        let bucket = |n: u32| {
            Bucket::Network(
                RateClass::Guesses,
                NetworkPrefix::of(std::net::Ipv4Addr::from(n).into()),
            )
        };
        for n in 0..2 * u32::try_from(MAX_KEYS).unwrap() {
            notes.should_report(&bucket(n), start);
        }
        assert_eq!(notes.0.lock().unwrap().len(), MAX_KEYS);
        assert_eq!(
            notes.should_report(&bucket(u32::MAX), clock::add(start, INTERVAL)),
            Some(1)
        );
    }
}
