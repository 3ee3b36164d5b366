//! Login throttling (OWASP Authentication): every verification of a secret passes through it.
//!
//! For a guessable secret, the throttle is asked before any hashing or look-up, and receives the
//! outcome afterwards.
//!
//! ```text
//! let attempt = Attempt { kind: CredentialKind::Totp, account: Some(username), from };
//! let guard = throttling.begin_attempt(&attempt).await?;
//! if wrong { throttling.failed(guard).await?; return Err(…) }
//! throttling.succeeded(guard).await?;
//! ```
//!
//! Long random secrets are looked up first, which is one indexed read and no more expensive than
//! the throttle itself. A valid one succeeds whatever happens behind the same address. Only unknown
//! ones are charged or throttled.
//!
//! ```text
//! let found = throttling.lookup_or_penalize(kind, from, self.load_code(&hash)).await?;
//! ```
//!
//! Failures are counted per network and, for guessable secrets, per account and source: one count
//! for all unknown sources, and one for each source that the account has signed in from. Unknown
//! sources delay each other, never the owner. `policy` holds the limits.

mod concurrency;
mod credential_kind;
pub(crate) mod event_dedup;
pub mod lockouts;
mod policy;
mod reporting;

use concurrency::{AttemptSlots, SlotGuard};
use policy::{Concurrency, Denial};

pub use credential_kind::CredentialKind;
pub(crate) use policy::{MAX_FAILURES, retry_at};

use crate::{
    AuthError, AuthStore, Origin, Username,
    handles::Throttling,
    store::{
        AttemptSource, Bucket, FailureCount, LockoutQuery, NetworkPrefix, ThrottleQuery,
        ThrottleState,
    },
    throttle::event_dedup::RateLimitedEvents,
};

/// One attempt with one secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) kind: CredentialKind,
    /// The claimed account; `None` if it is not known or the name is invalid. A name without an
    /// account counts like any other, so that the response does not reveal which accounts exist.
    pub(crate) account: Option<&'a Username>,
    pub(crate) from: &'a Origin,
}

/// Permission for one attempt, which is returned with the outcome. A guard that is dropped charges
/// nothing: drop it only if the caller has learned nothing, such as on a database error.
#[derive(Debug)]
#[must_use = "return it with the outcome: `failed` or `succeeded`"]
pub(crate) struct AttemptGuard {
    kind: CredentialKind,
    /// The buckets that a failure is charged to, networks first.
    buckets: Vec<Bucket>,
    /// The account's bucket, if it has failures.
    indebted: Option<Bucket>,
    /// The claimed account.
    claimed_account: Option<Username>,
    from: Origin,
    slot: Option<SlotGuard>,
}

/// The in-memory state of this node.
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

    #[cfg(test)]
    pub(crate) fn set_acquire_timeout(&mut self, timeout: std::time::Duration) {
        self.slots.set_acquire_timeout(timeout);
    }
}

/// The bucket that denies an attempt.
pub(crate) struct Blocked(Bucket, Denial);

impl AttemptGuard {
    /// Sets the account for the audit, if it is known only after the look-up.
    pub(crate) fn for_account(self, account: Option<&Username>) -> Self {
        Self {
            claimed_account: account.cloned(),
            ..self
        }
    }
}

impl<S: AuthStore> Throttling<'_, S> {
    /// # Errors
    /// `ThrottleError::Throttled` with the remaining time, `ThrottleError::LockedOut` if waiting does
    /// not help, `ThrottleError::HasherBusy` if too many attempts run at once.
    pub(crate) async fn begin_attempt(
        self,
        attempt: &Attempt<'_>,
    ) -> Result<AttemptGuard, AuthError> {
        let slots = &self.0.throttle.slots;
        let mut slot: Option<SlotGuard> = None;
        loop {
            let failures_before = slots.failures(&attempt.account);
            let found = self.0.core.store.throttles(throttle_query(attempt)).await?;
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
                // A waiting attempt must hold no slot.
                drop(slot.take());
                slot = Some(slots.acquire(account, concurrency).await?);
            } else if slots.failures(&attempt.account) == failures_before {
                guard.slot = slot;
                return Ok(guard);
            }
        }
    }

    /// Looks up a long random secret. An unknown one is charged to the network.
    ///
    /// # Errors
    /// `ThrottleError::Throttled` if it is unknown and its network has tried too many.
    pub(crate) async fn lookup_or_penalize<T>(
        self,
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

    /// Charges a wrong long random secret, or a wrong passkey, to the network. `account` is for the
    /// audit.
    ///
    /// # Errors
    /// `ThrottleError::Throttled` if the network has tried too many; then nothing more is charged.
    pub(crate) async fn penalize(
        self,
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

    /// Charges a failure and reports it to audit and log.
    pub(crate) async fn failed(self, guard: AttemptGuard) -> Result<(), AuthError> {
        self.charge_buckets(&guard).await?;
        self.report_failure(&guard).await
    }

    /// Charges a valid but limited operation.
    pub(crate) async fn count(self, guard: AttemptGuard) -> Result<(), AuthError> {
        self.charge_buckets(&guard).await
    }

    /// Resets the count of this credential kind and source. The network's count stays: one valid
    /// account must not offset guesses at others.
    pub(crate) async fn succeeded(self, guard: AttemptGuard) -> Result<(), AuthError> {
        if let Some(bucket) = &guard.indebted {
            self.0.core.store.reset_count(bucket.clone()).await?;
        }
        Ok(())
    }

    /// Resets the counts of a secret that was replaced.
    pub(crate) async fn reset_for_new_secret(
        self,
        username: &Username,
        kind: CredentialKind,
    ) -> Result<(), AuthError> {
        Ok(self.0.core.store.reset_counts(username, kind).await?)
    }

    async fn charge_buckets(self, guard: &AttemptGuard) -> Result<(), AuthError> {
        let charges = guard.buckets.iter().cloned().map(policy::charge).collect();
        self.0
            .core
            .store
            .record_failures(charges, self.0.core.clock.now())
            .await?;
        if let Some(account) = guard.account() {
            self.0.throttle.slots.record_failure(&account.username());
        }
        Ok(())
    }

    /// The strictest bucket decides.
    fn strictest(
        self,
        buckets: &[Bucket],
        counts: &[FailureCount],
    ) -> Result<Concurrency, Blocked> {
        let (now, mut concurrency) = (self.0.core.clock.now(), Concurrency::Shared);
        for bucket in buckets {
            let count = counts.iter().find(|count| count.bucket == *bucket);
            concurrency = concurrency.max(
                policy::evaluate(count, now).map_err(|refusal| Blocked(bucket.clone(), refusal))?,
            );
        }
        Ok(concurrency)
    }

    /// The failure counts that administrators see.
    pub(crate) async fn visible_lockouts(self) -> Result<Vec<FailureCount>, AuthError> {
        let visible_until = policy::visible_until(self.0.core.clock.now());
        Ok(self
            .0
            .core
            .store
            .lockouts(LockoutQuery {
                failures: policy::FREE_FAILURES,
                visible_after: visible_until,
            })
            .await?)
    }

    /// Deletes networks whose quota has recovered, and names without an account that were not tried
    /// for a long time.
    pub(crate) async fn purge(self) {
        let now = self.0.core.clock.now();
        match self
            .0
            .core
            .store
            .purge_throttles(policy::purge_cutoffs(now))
            .await
        {
            Ok(purged) => {
                tracing::debug!(purged, "purged old failure counts and known sources");
            }
            Err(error) => {
                tracing::warn!(%error, "could not purge old failure counts and known sources");
            }
        }
    }
}

impl AttemptGuard {
    /// A known device has a bucket of its own. A known network still shares the network's limit, or
    /// the answer would reveal known accounts.
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

/// All relevant buckets in one query.
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
    let class = attempt.kind.rate_class();
    NetworkPrefix::all_of(attempt.from.address)
        .map(|network| Bucket::Network(class, network))
        .collect()
}

fn account_bucket(attempt: &Attempt<'_>, username: &Username, source: &AttemptSource) -> Bucket {
    Bucket::Account {
        username: username.clone(),
        kind: attempt.kind,
        source: source.clone(),
    }
}
