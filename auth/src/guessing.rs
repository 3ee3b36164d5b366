//! The one gate at every place where a secret is tried, whatever the secret is. Where the secret can be guessed, it is
//! asked before any hashing or database look-up of the secret, and told of the outcome after.
//!
//! ```text
//! let pass = self.may_try(&Trial { secret: Secret::Totp, account: Some(username), from }).await?;
//! if wrong { self.failed(pass).await?; return Err(…) }
//! self.succeeded(pass).await?;
//! ```
//!
//! Long random secrets are looked up first, which is one indexed read and as dear as asking the gate: who has a good one
//! goes in whatever others do behind the same address, and only what is nobody's is charged, or refused as too many.
//!
//! ```text
//! let found = self.found_or_charged(Secret::Code, from, self.kept(&code)).await?.ok_or(…)?;
//! ```
//!
//! Failures count twice: against the network that they came from and, where the secret can be guessed, against the
//! account, once for all strangers together and once for each place that the account has signed in from before. So
//! strangers wait for each other, and never the owner for them. How often is too often is in `rules`.

mod lanes;
mod rules;
mod secret;
mod telling;

pub(crate) use rules::{MOST, next_try};
pub use secret::Secret;

use crate::{
    Auth, AuthError, AuthStore, Origin, Username,
    notes::Notes,
    store::{Bucket, Found, Inquiry, Network, Noteworthy, Place, Tally},
};
use lanes::{Lanes, Turn};
use rules::{Pace, Refusal};

/// One try of one secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial<'a> {
    pub(crate) secret: Secret,
    /// Whose secret it would be; `None` where that is not known, or the name cannot be anybody's. A name that is
    /// nobody's counts like any other, so the answer says nothing about who exists.
    pub(crate) account: Option<&'a Username>,
    pub(crate) from: &'a Origin,
}

/// Leave to try once, to be handed back with the outcome. Dropped without one (all cores were busy, the database went
/// away) it costs nobody anything: only do so where the caller has learned nothing.
#[derive(Debug)]
#[must_use = "say how it ended: `failed` or `succeeded`"]
pub(crate) struct Pass {
    secret: Secret,
    /// What a failure is charged to: networks first.
    charged: Vec<Bucket>,
    /// The account's bucket, where there are failures in it.
    owing: Option<Bucket>,
    /// Whom it was about, if anybody.
    typed: Option<Username>,
    from: Origin,
    turn: Option<Turn>,
}

/// What this node remembers of tries by itself.
pub(crate) struct Gate {
    lanes: Lanes,
    notes: Notes<Bucket>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            lanes: Lanes::new(),
            notes: Notes::default(),
        }
    }
}

/// A bucket that says no.
struct Shut(Bucket, Refusal);

impl Pass {
    /// For the audit, where it turned out only later whose secret it would have been.
    pub(crate) fn about(self, whose: Option<&Username>) -> Self {
        Self {
            typed: whose.cloned(),
            ..self
        }
    }
}

impl<S: AuthStore> Auth<S> {
    /// # Errors
    /// [`AuthError::Throttled`] with the time left, [`AuthError::LockedOut`] where waiting does not help,
    /// [`AuthError::Busy`] where too many try the same at once.
    pub(crate) async fn may_try(&self, trial: &Trial<'_>) -> Result<Pass, AuthError> {
        let lanes = &self.0.gate.lanes;
        let mut turn: Option<Turn> = None;
        loop {
            let charged_before = lanes.charged(&trial.account);
            let found = self.0.store.throttles(inquiry(trial)).await?;
            let mut pass = Pass::new(trial, &found);
            let pace = match self.weigh(&pass.charged, &found.tallies) {
                Ok(pace) => pace,
                Err(shut) => return Err(self.refuse(trial, shut).await?),
            };
            let Some(account) = pass.account() else {
                return Ok(pass);
            };
            if turn.is_none() {
                turn = lanes.step_in(account, pace);
            }
            if !turn.as_ref().is_some_and(|turn| turn.is_enough_for(pace)) {
                // Whoever waits for room must not take any.
                drop(turn.take());
                turn = Some(lanes.queue(account, pace).await?);
            } else if lanes.charged(&trial.account) == charged_before {
                pass.turn = turn;
                return Ok(pass);
            }
        }
    }

    /// What a long random secret leads to; `None`, charged to the network, where it leads nowhere.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] where it leads nowhere and its network has tried too many of those.
    pub(crate) async fn found_or_charged<T>(
        &self,
        secret: Secret,
        from: &Origin,
        look_up: impl Future<Output = Result<Option<T>, AuthError>>,
    ) -> Result<Option<T>, AuthError> {
        let found = look_up.await?;
        if found.is_none() {
            self.charge_wrong(secret, from, None).await?;
        }
        Ok(found)
    }

    /// For a long random secret, or a passkey, that has turned out to be wrong. `whose` is for the audit.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] where its network has tried too many: then nothing more is charged.
    pub(crate) async fn charge_wrong(
        &self,
        secret: Secret,
        from: &Origin,
        whose: Option<&Username>,
    ) -> Result<(), AuthError> {
        let pass = self
            .may_try(&Trial {
                secret,
                account: None,
                from,
            })
            .await?;
        self.failed(pass.about(whose)).await
    }

    /// Charges whoever tried, and tells audit and log.
    pub(crate) async fn failed(&self, pass: Pass) -> Result<(), AuthError> {
        self.charge(&pass).await?;
        self.report(&pass).await
    }

    /// Charges whoever did what may be done only so often, though nothing was wrong.
    pub(crate) async fn spent(&self, pass: Pass) -> Result<(), AuthError> {
        self.charge(&pass).await
    }

    /// The count for this secret begins anew, for whoever tries from that place. The network keeps its own: one good
    /// account must not pay for guessing others.
    pub(crate) async fn succeeded(&self, pass: Pass) -> Result<(), AuthError> {
        if let Some(owing) = &pass.owing {
            self.0.store.settle(owing.clone()).await?;
        }
        Ok(())
    }

    /// For a secret that was replaced: what was tried against the old one does not count against the new one.
    pub(crate) async fn begin_anew(
        &self,
        username: &Username,
        secret: Secret,
    ) -> Result<(), AuthError> {
        Ok(self.0.store.settle_all(username, secret).await?)
    }

    async fn charge(&self, pass: &Pass) -> Result<(), AuthError> {
        let charges = pass.charged.iter().cloned().map(rules::charge).collect();
        self.0.store.charge(charges, self.0.clock.now()).await?;
        if let Some(account) = pass.account() {
            self.0.gate.lanes.note_charge(&account.username());
        }
        Ok(())
    }

    /// The strictest of them decides.
    fn weigh(&self, asked: &[Bucket], tallies: &[Tally]) -> Result<Pace, Shut> {
        let (now, mut pace) = (self.0.clock.now(), Pace::Free);
        for bucket in asked {
            let tally = tallies.iter().find(|tally| tally.bucket == *bucket);
            pace = pace
                .max(rules::judge(tally, now).map_err(|refusal| Shut(bucket.clone(), refusal))?);
        }
        Ok(pace)
    }

    /// What administrators want to know of.
    pub(crate) async fn noteworthy(&self) -> Result<Vec<Tally>, AuthError> {
        let owing_at = rules::owing_at(self.0.clock.now());
        Ok(self
            .0
            .store
            .noteworthy(Noteworthy {
                failures: rules::FREE,
                owing_at,
            })
            .await?)
    }

    /// What is paid off, and names that are nobody's and that nobody tried for long.
    pub(crate) async fn forget_failures(&self) {
        let now = self.0.clock.now();
        match self.0.store.forget_throttles(rules::forgettable(now)).await {
            Ok(forgotten) => {
                tracing::debug!(forgotten, "failures and places of long ago were forgotten")
            }
            Err(error) => {
                tracing::warn!(%error, "failures and places of long ago were not forgotten")
            }
        }
    }
}

impl Pass {
    /// A device stands for itself; a network that the account is known in still shares that network's limit, or the
    /// answer would say who is known.
    fn new(trial: &Trial<'_>, found: &Found) -> Self {
        let (mut charged, mut owing) = (networks_of(trial), None);
        if let Some(username) = guessed(trial) {
            let places = trial.from.places();
            let place = places
                .into_iter()
                .find(|place| found.known.contains(place))
                .unwrap_or(Place::Strange);
            let account = of_account(trial, username, &place);
            owing = found
                .tallies
                .iter()
                .any(|tally| tally.bucket == account)
                .then(|| account.clone());
            if matches!(place, Place::Device(_)) {
                charged.clear();
            }
            charged.push(account);
        }
        let (secret, typed, from) = (trial.secret, trial.account.cloned(), trial.from.clone());
        Self {
            secret,
            charged,
            owing,
            typed,
            from,
            turn: None,
        }
    }

    fn account(&self) -> Option<&Bucket> {
        self.charged
            .iter()
            .find(|bucket| bucket.username().is_some())
    }
}

/// Everything that may matter, in one question.
fn inquiry(trial: &Trial<'_>) -> Inquiry {
    let mut buckets = networks_of(trial);
    let Some(username) = guessed(trial) else {
        return Inquiry {
            buckets,
            places: None,
        };
    };
    let places = trial.from.places();
    buckets.extend(
        places
            .iter()
            .chain([&Place::Strange])
            .map(|place| of_account(trial, username, place)),
    );
    Inquiry {
        buckets,
        places: Some((username.clone(), places)),
    }
}

fn guessed<'a>(trial: &Trial<'a>) -> Option<&'a Username> {
    trial.account.filter(|_| trial.secret.can_be_guessed())
}

fn networks_of(trial: &Trial<'_>) -> Vec<Bucket> {
    let tries = trial.secret.tries();
    Network::all_of(trial.from.address)
        .map(|network| Bucket::Network(tries, network))
        .collect()
}

fn of_account(trial: &Trial<'_>, username: &Username, place: &Place) -> Bucket {
    Bucket::Account {
        username: username.clone(),
        secret: trial.secret,
        place: place.clone(),
    }
}
