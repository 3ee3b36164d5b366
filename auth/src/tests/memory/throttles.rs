//! Failures and known places, in maps.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::Memory;
use crate::{
    Actor, Session, Username,
    audit::{Deed, Record},
    clock,
    guessing::Secret,
    store::{
        Answer, Bucket, Charge, Forgettable, Found, Inquiry, Noteworthy, Place, Tally,
        ThrottleStore, Tries, Whose,
    },
};

#[derive(Default)]
pub(super) struct Throttles {
    tallies: HashMap<Bucket, Tally>,
    places: HashSet<(Username, Place)>,
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

    fn charge(&mut self, charge: Charge, at: Timestamp) -> Tally {
        let fresh = Tally {
            bucket: charge.bucket.clone(),
            failures: 0,
            last_at: at,
            paid_off_at: at,
        };
        let tally = self.tallies.entry(charge.bucket).or_insert(fresh);
        tally.failures += 1;
        tally.last_at = at;
        tally.paid_off_at =
            clock::after(tally.paid_off_at.max(at), charge.cost).min(clock::after(at, charge.most));
        tally.clone()
    }
}

fn is_of(bucket: &Bucket, whose: &Username, what: Option<Secret>) -> bool {
    match bucket {
        Bucket::Account {
            username, secret, ..
        } => username == whose && what.is_none_or(|what| what == *secret),
        Bucket::Network(..) => false,
    }
}

impl ThrottleStore for Memory {
    async fn throttles(&self, inquiry: Inquiry) -> Answer<Found> {
        let throttles = &self.ask()?.throttles;
        let tallies = inquiry
            .buckets
            .iter()
            .filter_map(|bucket| throttles.tallies.get(bucket).cloned());
        let known = inquiry.places.into_iter().flat_map(|(username, places)| {
            places.into_iter().filter(move |place| {
                throttles
                    .places
                    .contains(&(username.clone(), place.clone()))
            })
        });
        Ok(Found {
            tallies: tallies.collect(),
            known: known.collect(),
        })
    }

    async fn charge(&self, charges: Vec<Charge>, at: Timestamp) -> Answer<Vec<Tally>> {
        let mut tables = self.ask()?;
        Ok(charges
            .into_iter()
            .map(|charge| tables.throttles.charge(charge, at))
            .collect())
    }

    async fn settle(&self, bucket: Bucket) -> Answer<()> {
        self.ask()?.throttles.tallies.remove(&bucket);
        Ok(())
    }

    async fn settle_all(&self, username: &Username, secret: Secret) -> Answer<()> {
        self.ask()?
            .throttles
            .tallies
            .retain(|bucket, _| !is_of(bucket, username, Some(secret)));
        Ok(())
    }

    async fn noteworthy(&self, what: Noteworthy) -> Answer<Vec<Tally>> {
        let worth = |tally: &&Tally| match tally.bucket {
            Bucket::Account { .. } => tally.failures >= what.failures,
            Bucket::Network(tries, _) => {
                tries == Tries::Guesses && tally.paid_off_at > what.owing_at
            }
        };
        let mut found: Vec<Tally> = self
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

    async fn lift(&self, whose: Whose, by: Actor, at: Timestamp) -> Answer<u64> {
        let mut tables = self.ask()?;
        let before = tables.throttles.tallies.len();
        tables
            .throttles
            .tallies
            .retain(|bucket, _| match (&whose, bucket) {
                (Whose::Account(username), bucket) => !is_of(bucket, username, None),
                (Whose::Network(network), Bucket::Network(_, of)) => of != network,
                (Whose::Network(_), Bucket::Account { .. }) => true,
            });
        let lifted = (before - tables.throttles.tallies.len()) as u64;
        tables
            .audit
            .push(Record::new(&by, Deed::ThrottleLifted, at));
        Ok(lifted)
    }

    async fn forget_throttles(&self, what: Forgettable) -> Answer<u64> {
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
                Bucket::Network(..) => tally.paid_off_at > what.paid_off_by,
            });
        Ok((before - tables.throttles.tallies.len()) as u64)
    }
}

impl Memory {
    pub(crate) fn tallies(&self) -> usize {
        self.tables().throttles.tallies.len()
    }
}
