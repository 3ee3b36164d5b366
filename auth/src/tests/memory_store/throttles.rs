//! Failure counts and known sources, in maps.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::MemoryStore;
use crate::{
    Actor, Session, Username,
    audit::{AuditAction, NewAuditEntry},
    clock,
    store::{
        AttemptSource, Bucket, Charge, FailureCount, LockoutQuery, PurgeCutoffs, RateClass,
        StoreResult, ThrottleQuery, ThrottleState, ThrottleStore, ThrottleTarget,
    },
    throttle::CredentialKind,
};

#[derive(Default)]
pub(crate) struct Throttles {
    failure_counts: HashMap<Bucket, FailureCount>,
    known_sources: HashSet<(Username, AttemptSource)>,
}

impl Throttles {
    pub(crate) fn remember_source(&mut self, session: &Session) {
        self.known_sources.extend(
            session
                .sources()
                .into_iter()
                .map(|place| (session.username.clone(), place)),
        );
    }

    pub(crate) fn reset_counts(&mut self, username: &Username) {
        self.failure_counts
            .retain(|bucket, _| !belongs_to(bucket, username, None));
    }

    fn charge(&mut self, charge: Charge, at: Timestamp) -> FailureCount {
        let fresh = FailureCount {
            bucket: charge.bucket.clone(),
            failures: 0,
            last_at: at,
            tat: at,
        };
        let tally = self.failure_counts.entry(charge.bucket).or_insert(fresh);
        tally.failures += 1;
        tally.last_at = at;
        let cap = clock::add(at, charge.max);
        let tat = if clock::is_ahead(tally.tat, cap) {
            at
        } else {
            tally.tat.max(at)
        };
        tally.tat = clock::add(tat, charge.cost).min(cap);
        tally.clone()
    }
}

fn belongs_to(bucket: &Bucket, whose: &Username, what: Option<CredentialKind>) -> bool {
    match bucket {
        Bucket::Account {
            username,
            kind: secret,
            ..
        } => username == whose && what.is_none_or(|what| what == *secret),
        Bucket::Network(..) => false,
    }
}

impl ThrottleStore for MemoryStore {
    async fn throttles(&self, inquiry: ThrottleQuery) -> StoreResult<ThrottleState> {
        let throttles = &self.query()?.throttles;
        let counts = inquiry
            .buckets
            .iter()
            .filter_map(|bucket| throttles.failure_counts.get(bucket).cloned());
        let known = inquiry.sources.into_iter().flat_map(|(username, places)| {
            places.into_iter().filter(move |place| {
                throttles
                    .known_sources
                    .contains(&(username.clone(), place.clone()))
            })
        });
        Ok(ThrottleState {
            counts: counts.collect(),
            known_sources: known.collect(),
        })
    }

    async fn record_failures(
        &self,
        charges: Vec<Charge>,
        at: Timestamp,
    ) -> StoreResult<Vec<FailureCount>> {
        let mut tables = self.query()?;
        Ok(charges
            .into_iter()
            .map(|charge| tables.throttles.charge(charge, at))
            .collect())
    }

    async fn reset_count(&self, bucket: Bucket) -> StoreResult<()> {
        self.query()?.throttles.failure_counts.remove(&bucket);
        Ok(())
    }

    async fn reset_counts(&self, username: &Username, secret: CredentialKind) -> StoreResult<()> {
        self.query()?
            .throttles
            .failure_counts
            .retain(|bucket, _| !belongs_to(bucket, username, Some(secret)));
        Ok(())
    }

    async fn lockouts(&self, what: LockoutQuery) -> StoreResult<Vec<FailureCount>> {
        let worth = |tally: &&FailureCount| match tally.bucket {
            Bucket::Account { .. } => tally.failures >= what.failures,
            Bucket::Network(tries, _) => {
                tries == RateClass::Guesses && tally.tat > what.visible_after
            }
        };
        let mut found: Vec<FailureCount> = self
            .query()?
            .throttles
            .failure_counts
            .values()
            .filter(worth)
            .cloned()
            .collect();
        found.sort_by_key(|tally| std::cmp::Reverse(tally.last_at));
        Ok(found)
    }

    async fn lift(&self, whose: ThrottleTarget, by: Actor, at: Timestamp) -> StoreResult<u64> {
        let mut tables = self.query()?;
        let before = tables.throttles.failure_counts.len();
        tables
            .throttles
            .failure_counts
            .retain(|bucket, _| match (&whose, bucket) {
                (ThrottleTarget::Account(username), bucket) => !belongs_to(bucket, username, None),
                (ThrottleTarget::Network(network), Bucket::Network(_, of)) => of != network,
                (ThrottleTarget::Network(_), Bucket::Account { .. }) => true,
            });
        let lifted = (before - tables.throttles.failure_counts.len()) as u64;
        tables
            .audit
            .push(NewAuditEntry::new(&by, AuditAction::ThrottleLifted, at));
        Ok(lifted)
    }

    async fn purge_throttles(&self, what: PurgeCutoffs) -> StoreResult<u64> {
        let mut tables = self.query()?;
        let before = tables.throttles.failure_counts.len();
        let accounts: HashSet<Username> = tables.accounts.keys().cloned().collect();
        tables
            .throttles
            .failure_counts
            .retain(|bucket, tally| match bucket {
                Bucket::Account { username, .. } => {
                    accounts.contains(username) || tally.last_at >= what.unknown_account_before
                }
                Bucket::Network(..) => tally.tat > what.tat_before,
            });
        Ok((before - tables.throttles.failure_counts.len()) as u64)
    }
}

impl MemoryStore {
    pub(crate) fn failure_count_rows(&self) -> usize {
        self.tables().throttles.failure_counts.len()
    }
}
