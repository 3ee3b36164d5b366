//! What a process does all the time: hears of what other processes wrote, and cleans up.

use std::{convert::Infallible, sync::atomic::Ordering, time::Duration};

use tokio::time::MissedTickBehavior;

use crate::{Auth, AuthError, AuthStore, Unavailable, clock};

/// How often the account-event log is read: a session that ended on another node is refused within a second.
const FOLLOW: Duration = Duration::from_millis(250);
/// How often all accounts' hashes are looked through.
const COUNT_KINDS: Duration = Duration::from_mins(1);
/// How often, and how long after their end, sessions are forgotten for good.
const CLEAN: Duration = Duration::from_hours(1);
/// Another node's clock may be behind by less.
const KEEP_SLIPS: Duration = Duration::from_hours(1);
const KEEP_ENDED: Duration = Duration::from_hours(30 * 24);

impl<S: AuthStore> Auth<S> {
    /// Follows the account-event log: run it as a task. Every 250 ms; what this node wrote is heard at once.
    ///
    /// Returns only when this process is of no use any more: [`AuthError::AnotherMasterKey`], where the master key was
    /// replaced under it.
    pub async fn follow(&self) -> AuthError {
        tokio::select! {
            never = self.follow_events() => match never {},
            never = self.follow_kinds() => match never {},
            never = Box::pin(self.clean()) => match never {},
            lost = self.follow_keys() => lost,
        }
    }

    /// What kinds of hashes are left, each minute: imported ones come by other processes, and go with their owners'
    /// next sign-ins.
    async fn follow_kinds(&self) -> Infallible {
        let mut ticks = tokio::time::interval(COUNT_KINDS);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.count_kinds().await {
                tracing::warn!(%error, "it is not known what kinds of password hashes there are");
            }
        }
    }

    pub(crate) async fn count_kinds(&self) -> Result<(), Unavailable> {
        self.0
            .hasher
            .kinds()
            .are(&self.0.store.password_kinds().await?);
        Ok(())
    }

    async fn follow_events(&self) -> Infallible {
        let mut ticks = tokio::time::interval(FOLLOW);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_deaf = false;
        loop {
            ticks.tick().await;
            let heard = self.catch_up().await;
            // Said once, not four times a second.
            match &heard {
                Err(error) if !is_deaf => {
                    tracing::error!(%error, "the account-event log cannot be followed")
                }
                Ok(()) if is_deaf => tracing::info!("the account-event log is followed again"),
                _ => {}
            }
            is_deaf = heard.is_err();
        }
    }

    /// Beside the following, which must not wait for it.
    async fn clean(&self) -> Infallible {
        let mut ticks = tokio::time::interval(FOLLOW);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cleaned_at = self.0.clock.now();
        loop {
            ticks.tick().await;
            if clock::between(cleaned_at, self.0.clock.now()) >= CLEAN {
                cleaned_at = self.0.clock.now();
                self.forget_long_ended().await;
                self.forget_expired_slips().await;
                self.forget_failures().await;
                self.remind().await;
            }
        }
    }

    /// Hears of everything that was written until now.
    pub(crate) async fn catch_up(&self) -> Result<(), Unavailable> {
        loop {
            let events = self
                .0
                .store
                .account_events_after(self.0.followed.load(Ordering::Acquire))
                .await?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            self.0
                .directory
                .forget(events.iter().map(|event| &event.username));
            self.0.followed.store(last.n, Ordering::Release);
        }
    }

    /// In small steps, so that nobody who signs in waits for it.
    async fn forget_expired_slips(&self) {
        let before = clock::before(self.0.clock.now(), KEEP_SLIPS);
        loop {
            match self.0.store.forget_slips(before).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    return tracing::warn!(%error, "expired links and codes were not forgotten");
                }
            }
        }
    }

    async fn forget_long_ended(&self) {
        match self
            .0
            .store
            .forget_ended(clock::before(self.0.clock.now(), KEEP_ENDED))
            .await
        {
            Ok(sessions) => tracing::debug!(sessions, "long ended sessions were forgotten"),
            Err(error) => tracing::warn!(%error, "long ended sessions were not forgotten"),
        }
    }
}
