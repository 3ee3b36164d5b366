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

mod concurrency;
mod credential_kind;
pub(crate) mod event_dedup;
pub mod lockouts;
mod policy;
mod reporting;

pub use credential_kind::CredentialKind;
pub(crate) use policy::{MAX_FAILURES, retry_at};

use crate::{
    Auth, AuthError, AuthStore, Origin, Username,
    store::{
        AttemptSource, Bucket, FailureCount, LockoutQuery, NetworkPrefix, ThrottleQuery,
        ThrottleState,
    },
    throttle::event_dedup::RateLimitedEvents,
};
use concurrency::{AttemptSlots, SlotGuard};
use policy::{Concurrency, Denial};

/// One try of one secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) kind: CredentialKind,
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
    kind: CredentialKind,
    /// What a failure is charged to: networks first.
    buckets: Vec<Bucket>,
    /// The account's bucket, where there are failures in it.
    indebted: Option<Bucket>,
    /// Whom it was about, if anybody.
    claimed_account: Option<Username>,
    from: Origin,
    slot: Option<SlotGuard>,
}

/// What this node remembers of tries by itself.
pub(crate) struct Throttle {
    slots: AttemptSlots,
    reported: RateLimitedEvents<Bucket>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self {
            slots: AttemptSlots::new(),
            reported: RateLimitedEvents::default(),
        }
    }
}

/// A bucket that says no.
pub(crate) struct Blocked(Bucket, Denial);

impl AttemptGuard {
    /// For the audit, where it turned out only later whose secret it would have been.
    pub(crate) fn for_account(self, account: Option<&Username>) -> Self {
        Self {
            claimed_account: account.cloned(),
            ..self
        }
    }
}

impl<S: AuthStore> Auth<S> {
    /// # Errors
    /// [`AuthError::Throttled`] with the time left, [`AuthError::LockedOut`] where waiting does not help,
    /// [`AuthError::Busy`] where too many try the same at once.
    pub(crate) async fn begin_attempt(
        &self,
        attempt: &Attempt<'_>,
    ) -> Result<AttemptGuard, AuthError> {
        let slots = &self.0.throttle.slots;
        let mut slot: Option<SlotGuard> = None;
        loop {
            let failures_before = slots.failures(&attempt.account);
            let found = self.0.store.throttles(throttle_query(attempt)).await?;
            let mut guard = AttemptGuard::new(attempt, &found);
            let concurrency = match self.strictest(&guard.buckets, &found.counts) {
                Ok(concurrency) => concurrency,
                Err(blocked) => return Err(self.report_denial(attempt, blocked).await?),
            };
            let Some(account) = guard.account() else {
                return Ok(guard);
            };
            if slot.is_none() {
                slot = slots.try_acquire(account, concurrency);
            }
            if !slot.as_ref().is_some_and(|slot| slot.covers(concurrency)) {
                // Whoever waits for room must not take any.
                drop(slot.take());
                slot = Some(slots.acquire(account, concurrency).await?);
            } else if slots.failures(&attempt.account) == failures_before {
                guard.slot = slot;
                return Ok(guard);
            }
        }
    }

    /// What a long random secret leads to; `None`, charged to the network, where it leads nowhere.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] where it leads nowhere and its network has tried too many of those.
    pub(crate) async fn lookup_or_penalize<T>(
        &self,
        kind: CredentialKind,
        from: &Origin,
        look_up: impl Future<Output = Result<Option<T>, AuthError>>,
    ) -> Result<Option<T>, AuthError> {
        let found = look_up.await?;
        if found.is_none() {
            self.penalize(kind, from, None).await?;
        }
        Ok(found)
    }

    /// For a long random secret, or a passkey, that has turned out to be wrong. `whose` is for the audit.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] where its network has tried too many: then nothing more is charged.
    pub(crate) async fn penalize(
        &self,
        kind: CredentialKind,
        from: &Origin,
        account: Option<&Username>,
    ) -> Result<(), AuthError> {
        let guard = self
            .begin_attempt(&Attempt {
                kind,
                account: None,
                from,
            })
            .await?;
        self.failed(guard.for_account(account)).await
    }

    /// Charges whoever tried, and tells audit and log.
    pub(crate) async fn failed(&self, guard: AttemptGuard) -> Result<(), AuthError> {
        self.charge_buckets(&guard).await?;
        self.report_failure(&guard).await
    }

    /// Charges whoever did what may be done only so often, though nothing was wrong.
    pub(crate) async fn count(&self, guard: AttemptGuard) -> Result<(), AuthError> {
        self.charge_buckets(&guard).await
    }

    /// The count for this secret begins anew, for whoever tries from that place. The network keeps its own: one good
    /// account must not pay for guessing others.
    pub(crate) async fn succeeded(&self, guard: AttemptGuard) -> Result<(), AuthError> {
        if let Some(owing) = &guard.indebted {
            self.0.store.reset_count(owing.clone()).await?;
        }
        Ok(())
    }

    /// For a secret that was replaced: what was tried against the old one does not count against the new one.
    pub(crate) async fn reset_for_new_secret(
        &self,
        username: &Username,
        kind: CredentialKind,
    ) -> Result<(), AuthError> {
        Ok(self.0.store.reset_counts(username, kind).await?)
    }

    async fn charge_buckets(&self, guard: &AttemptGuard) -> Result<(), AuthError> {
        let charges = guard.buckets.iter().cloned().map(policy::charge).collect();
        self.0
            .store
            .record_failures(charges, self.0.clock.now())
            .await?;
        if let Some(account) = guard.account() {
            self.0.throttle.slots.record_failure(&account.username());
        }
        Ok(())
    }

    /// The strictest of them decides.
    fn strictest(
        &self,
        buckets: &[Bucket],
        counts: &[FailureCount],
    ) -> Result<Concurrency, Blocked> {
        let (now, mut concurrency) = (self.0.clock.now(), Concurrency::Shared);
        for bucket in buckets {
            let count = counts.iter().find(|count| count.bucket == *bucket);
            concurrency = concurrency.max(
                policy::evaluate(count, now).map_err(|refusal| Blocked(bucket.clone(), refusal))?,
            );
        }
        Ok(concurrency)
    }

    /// What administrators want to know of.
    pub(crate) async fn visible_lockouts(&self) -> Result<Vec<FailureCount>, AuthError> {
        let visible_until = policy::visible_until(self.0.clock.now());
        Ok(self
            .0
            .store
            .lockouts(LockoutQuery {
                failures: policy::FREE_FAILURES,
                visible_after: visible_until,
            })
            .await?)
    }

    /// What is paid off, and names that are nobody's and that nobody tried for long.
    pub(crate) async fn purge(&self) {
        let now = self.0.clock.now();
        match self
            .0
            .store
            .purge_throttles(policy::purge_cutoffs(now))
            .await
        {
            Ok(purged) => {
                tracing::debug!(purged, "failures and places of long ago were forgotten")
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
    fn new(attempt: &Attempt<'_>, found: &ThrottleState) -> Self {
        let (mut buckets, mut indebted) = (network_buckets(attempt), None);
        if let Some(username) = throttled_account(attempt) {
            let sources = attempt.from.sources();
            let source = sources
                .into_iter()
                .find(|source| found.known_sources.contains(source))
                .unwrap_or(AttemptSource::Unknown);
            let account = account_bucket(attempt, username, &source);
            indebted = found
                .counts
                .iter()
                .any(|count| count.bucket == account)
                .then(|| account.clone());
            if matches!(source, AttemptSource::Device(_)) {
                buckets.clear();
            }
            buckets.push(account);
        }
        let (kind, claimed_account, from) =
            (attempt.kind, attempt.account.cloned(), attempt.from.clone());
        Self {
            kind,
            buckets,
            indebted,
            claimed_account,
            from,
            slot: None,
        }
    }

    fn account(&self) -> Option<&Bucket> {
        self.buckets
            .iter()
            .find(|bucket| bucket.username().is_some())
    }
}

/// Everything that may matter, in one question.
fn throttle_query(attempt: &Attempt<'_>) -> ThrottleQuery {
    let mut buckets = network_buckets(attempt);
    let Some(username) = throttled_account(attempt) else {
        return ThrottleQuery {
            buckets,
            sources: None,
        };
    };
    let sources = attempt.from.sources();
    buckets.extend(
        sources
            .iter()
            .chain([&AttemptSource::Unknown])
            .map(|source| account_bucket(attempt, username, source)),
    );
    ThrottleQuery {
        buckets,
        sources: Some((username.clone(), sources)),
    }
}

fn throttled_account<'a>(attempt: &Attempt<'a>) -> Option<&'a Username> {
    attempt.account.filter(|_| attempt.kind.is_guessable())
}

fn network_buckets(attempt: &Attempt<'_>) -> Vec<Bucket> {
    let tries = attempt.kind.rate_class();
    NetworkPrefix::all_of(attempt.from.address)
        .map(|network| Bucket::Network(tries, network))
        .collect()
}

fn account_bucket(attempt: &Attempt<'_>, username: &Username, source: &AttemptSource) -> Bucket {
    Bucket::Account {
        username: username.clone(),
        kind: attempt.kind,
        source: source.clone(),
    }
}
