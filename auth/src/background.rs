//! Background tasks of a process: read the account-event log, refresh hash profiles, clean up, and
//! maintain keys.

use std::{convert::Infallible, sync::atomic::Ordering, time::Duration};

use tokio::time::MissedTickBehavior;

use crate::{AuthError, AuthStore, Background, StoreUnavailable, clock};

/// Polling interval of the account-event log. A session ended on another node is rejected within
/// one second.
const EVENT_INTERVAL: Duration = Duration::from_millis(250);
/// Interval at which the hash profiles of all accounts are loaded.
const HASH_PROFILE_INTERVAL: Duration = Duration::from_mins(1);
/// Interval between clean-ups.
const CLEANUP_INTERVAL: Duration = Duration::from_hours(1);
/// Retention of expired tokens. It exceeds the clock difference between nodes.
const ONE_TIME_TOKEN_RETENTION: Duration = Duration::from_hours(1);
/// Retention of ended sessions.
const ENDED_SESSION_RETENTION: Duration = Duration::from_hours(30 * 24);

impl<S: AuthStore> Background<'_, S> {
    /// Runs all background tasks; spawn it once per process. Other nodes' account events are read
    /// every 250 ms; those of this node apply at once.
    ///
    /// Returns only with a fatal error: `KeyError::MasterKeyMismatch` if the master key was
    /// replaced.
    pub async fn run_background_tasks(self) -> AuthError {
        tokio::select! {
            never = self.follow_account_events() => match never {},
            never = self.refresh_hash_profiles_loop() => match never {},
            never = Box::pin(self.cleanup()) => match never {},
            lost = self.0.keys().watch_keys() => lost,
        }
    }

    /// Reloads the hash profiles each minute. Other processes import hashes, and sign-ins rehash
    /// them.
    async fn refresh_hash_profiles_loop(self) -> Infallible {
        let mut ticks = tokio::time::interval(HASH_PROFILE_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.refresh_hash_profiles().await {
                tracing::warn!(%error, "could not load the hash profiles");
            }
        }
    }

    pub(crate) async fn refresh_hash_profiles(self) -> Result<(), StoreUnavailable> {
        self.0
            .hasher
            .profiles()
            .replace_all(&self.0.core.store.hash_samples().await?);
        Ok(())
    }

    async fn follow_account_events(self) -> Infallible {
        let mut ticks = tokio::time::interval(EVENT_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            ticks.tick().await;
            let result = self.apply_account_events().await;
            // Logged once per outage, not four times a second.
            match &result {
                Err(error) if !failing => {
                    tracing::error!(%error, "cannot read the account-event log");
                }
                Ok(()) if failing => tracing::info!("the account-event log is readable again"),
                _ => {}
            }
            failing = result.is_err();
        }
    }

    /// In its own task, because event processing must not wait for it.
    async fn cleanup(self) -> Infallible {
        let mut ticks = tokio::time::interval(EVENT_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cleaned_at = self.0.core.clock.now();
        loop {
            ticks.tick().await;
            self.0.mail().send_due_mfa_notices().await;
            if !clock::is_within(cleaned_at, CLEANUP_INTERVAL, self.0.core.clock.now()) {
                cleaned_at = self.0.core.clock.now();
                self.purge_ended_sessions().await;
                self.purge_expired_tokens().await;
                self.0.throttling().purge().await;
                self.0.mail().send_expiry_reminders().await;
            }
        }
    }

    /// Invalidates the cache for all account events so far.
    pub(crate) async fn apply_account_events(self) -> Result<(), StoreUnavailable> {
        loop {
            let events = self
                .0
                .core
                .store
                .account_events_after(self.0.sessions.last_event_seen.load(Ordering::Acquire))
                .await?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            self.0
                .sessions
                .cache
                .invalidate(events.iter().map(|event| &event.username));
            self.0
                .sessions
                .last_event_seen
                .store(last.seq, Ordering::Release);
        }
    }

    /// In small batches, so that sign-ins do not wait for it.
    async fn purge_expired_tokens(self) {
        let before = clock::sub(self.0.core.clock.now(), ONE_TIME_TOKEN_RETENTION);
        loop {
            match self.0.core.store.purge_expired_tokens(before).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    return tracing::warn!(%error, "could not purge expired one-time tokens");
                }
            }
        }
    }

    async fn purge_ended_sessions(self) {
        match self
            .0
            .core
            .store
            .purge_ended(clock::sub(self.0.core.clock.now(), ENDED_SESSION_RETENTION))
            .await
        {
            Ok(sessions) => tracing::debug!(sessions, "purged ended sessions"),
            Err(error) => tracing::warn!(%error, "could not purge ended sessions"),
        }
    }
}
