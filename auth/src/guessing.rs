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

pub(crate) use rules::{MAX_FAILURES, retry_at};
pub use secret::CredentialKind;

use crate::{
    Auth, AuthError, AuthStore, Origin, Username,
    notes::RateLimitedEvents,
    store::{Bucket, ThrottleState, ThrottleQuery, NetworkPrefix, LockoutQuery, AttemptSource, FailureCount},
};
use lanes::{AttemptSlots, SlotGuard};
use rules::{Concurrency, Denial};

/// One try of one secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) secret: CredentialKind,
    /// Whose secret it would be; `None` where that is not known, or the name cannot be anybody's. A name that is
    /// nobody's counts like any other, so the answer says nothing about who exists.
    pub(crate) account: Option<&'a Username>,
    pub(crate) from: &'a Origin,
}

/// Leave to try once, to be handed back with the outcome. Dropped without one (all cores were busy, the database went
/// away) it costs nobody anything: only do so where the caller has learned nothing.
#[derive(Debug)]
#[must_use = "say how it ended: `failed` or `succeeded`"]
pub(crate) struct AttemptGuard {
    secret: CredentialKind,
    /// What a failure is charged to: networks first.
    charged: Vec<Bucket>,
    /// The account's bucket, where there are failures in it.
    indebted: Option<Bucket>,
    /// Whom it was about, if anybody.
    claimed_account: Option<Username>,
    from: Origin,
    turn: Option<SlotGuard>,
}

/// What this node remembers of tries by itself.
pub(crate) struct Throttle {
    lanes: AttemptSlots,
    notes: RateLimitedEvents<Bucket>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self {
            lanes: AttemptSlots::new(),
            notes: RateLimitedEvents::default(),
        }
    }
}

/// A bucket that says no.
struct Blocked(Bucket, Denial);

impl AttemptGuard {
    /// For the audit, where it turned out only later whose secret it would have been.
    pub(crate) fn about(self, whose: Option<&Username>) -> Self {
        Self {
            claimed_account: whose.cloned(),
            ..self
        }
    }
}

impl<S: AuthStore> Auth<S> {
    /// # Errors
    /// [`AuthError::Throttled`] with the time left, [`AuthError::LockedOut`] where waiting does not help,
    /// [`AuthError::Busy`] where too many try the same at once.
    pub(crate) async fn begin_attempt(&self, trial: &Attempt<'_>) -> Result<AttemptGuard, AuthError> {
        let lanes = &self.0.throttle.lanes;
        let mut turn: Option<SlotGuard> = None;
        loop {
            let charged_before = lanes.charged(&trial.account);
            let found = self.0.store.throttles(inquiry(trial)).await?;
            let mut pass = AttemptGuard::new(trial, &found);
            let pace = match self.strictest(&pass.charged, &found.counts) {
                Ok(pace) => pace,
                Err(shut) => return Err(self.report_denial(trial, shut).await?),
            };
            let Some(account) = pass.account() else {
                return Ok(pass);
            };
            if turn.is_none() {
                turn = lanes.try_acquire(account, pace);
            }
            if !turn.as_ref().is_some_and(|turn| turn.is_enough_for(pace)) {
                // Whoever waits for room must not take any.
                drop(turn.take());
                turn = Some(lanes.acquire(account, pace).await?);
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
    pub(crate) async fn lookup_or_penalize<T>(
        &self,
        secret: CredentialKind,
        from: &Origin,
        look_up: impl Future<Output = Result<Option<T>, AuthError>>,
    ) -> Result<Option<T>, AuthError> {
        let found = look_up.await?;
        if found.is_none() {
            self.penalize(secret, from, None).await?;
        }
        Ok(found)
    }

    /// For a long random secret, or a passkey, that has turned out to be wrong. `whose` is for the audit.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] where its network has tried too many: then nothing more is charged.
    pub(crate) async fn penalize(
        &self,
        secret: CredentialKind,
        from: &Origin,
        whose: Option<&Username>,
    ) -> Result<(), AuthError> {
        let pass = self
            .begin_attempt(&Attempt {
                secret,
                account: None,
                from,
            })
            .await?;
        self.failed(pass.about(whose)).await
    }

    /// Charges whoever tried, and tells audit and log.
    pub(crate) async fn failed(&self, pass: AttemptGuard) -> Result<(), AuthError> {
        self.charge(&pass).await?;
        self.report_failure(&pass).await
    }

    /// Charges whoever did what may be done only so often, though nothing was wrong.
    pub(crate) async fn count(&self, pass: AttemptGuard) -> Result<(), AuthError> {
        self.charge(&pass).await
    }

    /// The count for this secret begins anew, for whoever tries from that place. The network keeps its own: one good
    /// account must not pay for guessing others.
    pub(crate) async fn succeeded(&self, pass: AttemptGuard) -> Result<(), AuthError> {
        if let Some(owing) = &pass.indebted {
            self.0.store.reset_count(owing.clone()).await?;
        }
        Ok(())
    }

    /// For a secret that was replaced: what was tried against the old one does not count against the new one.
    pub(crate) async fn reset_for_new_secret(
        &self,
        username: &Username,
        secret: CredentialKind,
    ) -> Result<(), AuthError> {
        Ok(self.0.store.reset_counts(username, secret).await?)
    }

    async fn charge(&self, pass: &AttemptGuard) -> Result<(), AuthError> {
        let charges = pass.charged.iter().cloned().map(rules::charge).collect();
        self.0.store.record_failures(charges, self.0.clock.now()).await?;
        if let Some(account) = pass.account() {
            self.0.throttle.lanes.record_failure(&account.username());
        }
        Ok(())
    }

    /// The strictest of them decides.
    fn strictest(&self, asked: &[Bucket], tallies: &[FailureCount]) -> Result<Concurrency, Blocked> {
        let (now, mut pace) = (self.0.clock.now(), Concurrency::Shared);
        for bucket in asked {
            let tally = tallies.iter().find(|tally| tally.bucket == *bucket);
            pace = pace
                .max(rules::evaluate(tally, now).map_err(|refusal| Blocked(bucket.clone(), refusal))?);
        }
        Ok(pace)
    }

    /// What administrators want to know of.
    pub(crate) async fn visible_lockouts(&self) -> Result<Vec<FailureCount>, AuthError> {
        let owing_at = rules::visible_until(self.0.clock.now());
        Ok(self
            .0
            .store
            .lockouts(LockoutQuery {
                failures: rules::FREE_FAILURES,
                visible_after: owing_at,
            })
            .await?)
    }

    /// What is paid off, and names that are nobody's and that nobody tried for long.
    pub(crate) async fn purge(&self) {
        let now = self.0.clock.now();
        match self.0.store.purge_throttles(rules::forgettable(now)).await {
            Ok(forgotten) => {
                tracing::debug!(forgotten, "failures and places of long ago were forgotten")
            }
            Err(error) => {
                tracing::warn!(%error, "failures and places of long ago were not forgotten")
            }
        }
    }
}

impl AttemptGuard {
    /// A device stands for itself; a network that the account is known in still shares that network's limit, or the
    /// answer would say who is known.
    fn new(trial: &Attempt<'_>, found: &ThrottleState) -> Self {
        let (mut charged, mut indebted) = (networks_of(trial), None);
        if let Some(username) = guessed(trial) {
            let places = trial.from.places();
            let place = places
                .into_iter()
                .find(|place| found.known.contains(place))
                .unwrap_or(AttemptSource::Unknown);
            let account = of_account(trial, username, &place);
            indebted = found
                .counts
                .iter()
                .any(|tally| tally.bucket == account)
                .then(|| account.clone());
            if matches!(place, AttemptSource::Device(_)) {
                charged.clear();
            }
            charged.push(account);
        }
        let (secret, claimed_account, from) = (trial.secret, trial.account.cloned(), trial.from.clone());
        Self {
            secret,
            charged,
            indebted,
            claimed_account,
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
fn inquiry(trial: &Attempt<'_>) -> ThrottleQuery {
    let mut buckets = networks_of(trial);
    let Some(username) = guessed(trial) else {
        return ThrottleQuery {
            buckets,
            sources: None,
        };
    };
    let places = trial.from.places();
    buckets.extend(
        places
            .iter()
            .chain([&AttemptSource::Unknown])
            .map(|place| of_account(trial, username, place)),
    );
    ThrottleQuery {
        buckets,
        sources: Some((username.clone(), places)),
    }
}

fn guessed<'a>(trial: &Attempt<'a>) -> Option<&'a Username> {
    trial.account.filter(|_| trial.secret.is_guessable())
}

fn networks_of(trial: &Attempt<'_>) -> Vec<Bucket> {
    let tries = trial.secret.rate_class();
    NetworkPrefix::all_of(trial.from.address)
        .map(|network| Bucket::Network(tries, network))
        .collect()
}

fn of_account(trial: &Attempt<'_>, username: &Username, place: &AttemptSource) -> Bucket {
    Bucket::Account {
        username: username.clone(),
        secret: trial.secret,
        place: place.clone(),
    }
}
