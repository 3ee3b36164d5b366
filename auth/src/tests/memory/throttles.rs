//! Failures and known places, in maps.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::Memory;
use crate::{
    Actor, Session, Username,
    audit::{Deed, NewAuditEntry},
    clock,
    guessing::CredentialKind,
    store::{
        StoreResult, Bucket, Charge, PurgeCutoffs, ThrottleState, ThrottleQuery, LockoutQuery, AttemptSource, FailureCount,
        ThrottleStore, RateClass, ThrottleTarget,
    },
};

#[derive(Default)]
pub(super) struct Throttles {
    tallies: HashMap<Bucket, FailureCount>,
    places: HashSet<(Username, AttemptSource)>,
}

impl Throttles {
    pub(super) fn meet(&mut self, session: &Session) {
        self.places.extend(
            session
                .places()
                .into_iter()
                .map(|place| (session.username.clone(), place)),
        );
    }

    pub(super) fn begin_anew(&mut self, username: &Username) {
        self.tallies
            .retain(|bucket, _| !is_of(bucket, username, None));
    }

    fn charge(&mut self, charge: Charge, at: Timestamp) -> FailureCount {
        let fresh = FailureCount {
            bucket: charge.bucket.clone(),
            failures: 0,
            last_at: at,
            tat: at,
        };
        let tally = self.tallies.entry(charge.bucket).or_insert(fresh);
        tally.failures += 1;
        tally.last_at = at;
        tally.tat =
            clock::add(tally.tat.max(at), charge.cost).min(clock::add(at, charge.max));
        tally.clone()
    }
}

fn is_of(bucket: &Bucket, whose: &Username, what: Option<CredentialKind>) -> bool {
    match bucket {
        Bucket::Account {
            username, secret, ..
        } => username == whose && what.is_none_or(|what| what == *secret),
        Bucket::Network(..) => false,
    }
}

impl ThrottleStore for Memory {
    async fn throttles(&self, inquiry: ThrottleQuery) -> StoreResult<ThrottleState> {
        let throttles = &self.ask()?.throttles;
        let tallies = inquiry
            .buckets
            .iter()
            .filter_map(|bucket| throttles.tallies.get(bucket).cloned());
        let known = inquiry.sources.into_iter().flat_map(|(username, places)| {
            places.into_iter().filter(move |place| {
                throttles
                    .places
                    .contains(&(username.clone(), place.clone()))
            })
        });
        Ok(ThrottleState {
            counts: tallies.collect(),
            known: known.collect(),
        })
    }

    async fn record_failures(&self, charges: Vec<Charge>, at: Timestamp) -> StoreResult<Vec<FailureCount>> {
        let mut tables = self.ask()?;
        Ok(charges
            .into_iter()
            .map(|charge| tables.throttles.charge(charge, at))
            .collect())
    }

    async fn reset_count(&self, bucket: Bucket) -> StoreResult<()> {
        self.ask()?.throttles.tallies.remove(&bucket);
        Ok(())
    }

    async fn reset_counts(&self, username: &Username, secret: CredentialKind) -> StoreResult<()> {
        self.ask()?
            .throttles
            .tallies
            .retain(|bucket, _| !is_of(bucket, username, Some(secret)));
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
            .ask()?
            .throttles
            .tallies
            .values()
            .filter(worth)
            .cloned()
            .collect();
        found.sort_by_key(|tally| std::cmp::Reverse(tally.last_at));
        Ok(found)
    }

    async fn lift(&self, whose: ThrottleTarget, by: Actor, at: Timestamp) -> StoreResult<u64> {
        let mut tables = self.ask()?;
        let before = tables.throttles.tallies.len();
        tables
            .throttles
            .tallies
            .retain(|bucket, _| match (&whose, bucket) {
                (ThrottleTarget::Account(username), bucket) => !is_of(bucket, username, None),
                (ThrottleTarget::Network(network), Bucket::Network(_, of)) => of != network,
                (ThrottleTarget::Network(_), Bucket::Account { .. }) => true,
            });
        let lifted = (before - tables.throttles.tallies.len()) as u64;
        tables
            .audit
            .push(NewAuditEntry::new(&by, Deed::ThrottleLifted, at));
        Ok(lifted)
    }

    async fn purge_throttles(&self, what: PurgeCutoffs) -> StoreResult<u64> {
        let mut tables = self.ask()?;
        let before = tables.throttles.tallies.len();
        let accounts: HashSet<Username> = tables.accounts.keys().cloned().collect();
        tables
            .throttles
            .tallies
            .retain(|bucket, tally| match bucket {
                Bucket::Account { username, .. } => {
                    accounts.contains(username) || tally.last_at >= what.nobody_since
                }
                Bucket::Network(..) => tally.tat > what.paid_off_by,
            });
        Ok((before - tables.throttles.tallies.len()) as u64)
    }
}

impl Memory {
    pub(crate) fn tallies(&self) -> usize {
        self.tables().throttles.tallies.len()
    }
}
