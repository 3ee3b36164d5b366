//! The operations of the throttle: ask before an attempt, report its outcome.

use super::{
    Attempt, AttemptGuard, Blocked, CredentialKind,
    concurrency::{AttemptSlots, SlotGuard},
    is_familiar,
    policy::{self, Concurrency},
    throttle_query,
};
use crate::{
    AuthError, AuthStore, Origin, Username,
    handles::Throttling,
    store::{Bucket, FailureCount, LockoutQuery},
};

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
                slot = self.slots_of(account).try_acquire(account, concurrency);
            }
            if !slot.as_ref().is_some_and(|slot| slot.covers(concurrency)) {
                // A waiting attempt must hold no slot.
                drop(slot.take());
                slot = Some(self.slots_of(account).acquire(account, concurrency).await?);
            } else if slots.failures(&attempt.account) == failures_before {
                guard.slot = slot;
                return Ok(guard);
            }
        }
    }

    fn slots_of(&self, account: &Bucket) -> &AttemptSlots {
        if is_familiar(account) {
            &self.0.throttle.familiar_slots
        } else {
            &self.0.throttle.slots
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
