//! What a process does all the time: hears of what other processes wrote, and cleans up.

use std::{convert::Infallible, sync::atomic::Ordering, time::Duration};

use tokio::time::MissedTickBehavior;

use crate::{Auth, AuthError, AuthStore, StoreUnavailable, clock};

/// How often the account-event log is read: a session that ended on another node is refused within a second.
const EVENT_INTERVAL: Duration = Duration::from_millis(250);
/// How often all accounts' hashes are looked through.
const HASH_PROFILE_INTERVAL: Duration = Duration::from_mins(1);
/// How often, and how long after their end, sessions are forgotten for good.
const CLEANUP_INTERVAL: Duration = Duration::from_hours(1);
/// Another node's clock may be behind by less.
const ONE_TIME_TOKEN_RETENTION: Duration = Duration::from_hours(1);
const ENDED_SESSION_RETENTION: Duration = Duration::from_hours(30 * 24);

impl<S: AuthStore> Auth<S> {
    /// Follows the account-event log: run it as a task. Every 250 ms; what this node wrote is heard at once.
    ///
    /// Returns only when this process is of no use any more: [`AuthError::AnotherMasterKey`], where the master key was
    /// replaced under it.
    pub async fn run_background_tasks(&self) -> AuthError {
        tokio::select! {
            never = self.follow_account_events() => match never {},
            never = self.refresh_hash_profiles_loop() => match never {},
            never = Box::pin(self.cleanup()) => match never {},
            lost = self.watch_keys() => lost,
        }
    }

    /// What kinds of hashes are left, each minute: imported ones come by other processes, and go with their owners'
    /// next sign-ins.
    async fn refresh_hash_profiles_loop(&self) -> Infallible {
        let mut ticks = tokio::time::interval(HASH_PROFILE_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.refresh_hash_profiles().await {
                tracing::warn!(%error, "it is not known what kinds of password hashes there are");
            }
        }
    }

    pub(crate) async fn refresh_hash_profiles(&self) -> Result<(), StoreUnavailable> {
        self.0
            .hasher
            .profiles()
            .replace_all(&self.0.store.hash_samples().await?);
        Ok(())
    }

    async fn follow_account_events(&self) -> Infallible {
        let mut ticks = tokio::time::interval(EVENT_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            ticks.tick().await;
            let result = self.apply_account_events().await;
            // Said once, not four times a second.
            match &result {
                Err(error) if !failing => {
                    tracing::error!(%error, "the account-event log cannot be followed")
                }
                Ok(()) if failing => tracing::info!("the account-event log is followed again"),
                _ => {}
            }
            failing = result.is_err();
        }
    }

    /// Beside the following, which must not wait for it.
    async fn cleanup(&self) -> Infallible {
        let mut ticks = tokio::time::interval(EVENT_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cleaned_at = self.0.clock.now();
        loop {
            ticks.tick().await;
            if clock::since(cleaned_at, self.0.clock.now()) >= CLEANUP_INTERVAL {
                cleaned_at = self.0.clock.now();
                self.purge_ended_sessions().await;
                self.purge_expired_tokens().await;
                self.purge().await;
                self.send_expiry_reminders().await;
            }
        }
    }

    /// Hears of everything that was written until now.
    pub(crate) async fn apply_account_events(&self) -> Result<(), StoreUnavailable> {
        loop {
            let events = self
                .0
                .store
                .account_events_after(self.0.last_event_seen.load(Ordering::Acquire))
                .await?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            self.0
                .session_cache
                .invalidate(events.iter().map(|event| &event.username));
            self.0.last_event_seen.store(last.seq, Ordering::Release);
        }
    }

    /// In small steps, so that nobody who signs in waits for it.
    async fn purge_expired_tokens(&self) {
        let before = clock::sub(self.0.clock.now(), ONE_TIME_TOKEN_RETENTION);
        loop {
            match self.0.store.purge_expired_tokens(before).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    return tracing::warn!(%error, "expired links and codes were not forgotten");
                }
            }
        }
    }

    async fn purge_ended_sessions(&self) {
        match self
            .0
            .store
            .purge_ended(clock::sub(self.0.clock.now(), ENDED_SESSION_RETENTION))
            .await
        {
            Ok(sessions) => tracing::debug!(sessions, "long ended sessions were forgotten"),
            Err(error) => tracing::warn!(%error, "long ended sessions were not forgotten"),
        }
    }
}
