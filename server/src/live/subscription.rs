//! A position in a vault's event log that moves forward. Newer events come next, from memory or
//! from the store. Catching up and live delivery use the same path, so there is no gap between
//! them.

use std::sync::Arc;

use auth::StoreUnavailable;
use tokio::sync::watch;

use super::{
    follower,
    hub::{Channel, Hub},
    message::Message,
};

/// Events. A client further behind gets `resync` and must load the list again.
pub(super) const MAX_LAG: i64 = 10_000;
/// Events taken at a time.
const BATCH_EVENTS: u32 = 256;

#[derive(Debug)]
pub(super) struct Subscription {
    hub: Hub,
    channel: Arc<Channel>,
    head: watch::Receiver<Option<i64>>,
    /// The id of the last event taken. Only grows.
    position: i64,
    /// The next message is `resync`.
    resync: bool,
}

/// The follower has ended: the server is stopping.
#[derive(Debug)]
pub(super) struct Closed;

impl Subscription {
    pub(super) fn new(
        hub: Hub,
        channel: Arc<Channel>,
        head: watch::Receiver<Option<i64>>,
        position: i64,
    ) -> Self {
        Self {
            hub,
            channel,
            head,
            position,
            resync: false,
        }
    }

    pub(super) fn resume_after(&mut self, position: i64) {
        self.position = position;
    }

    pub(super) fn resync_at(&mut self, position: i64) {
        self.position = position;
        self.resync = true;
    }

    /// Waits until there is something to [`take`](Self::take). May be dropped and called again.
    pub(super) async fn ready(&mut self) -> Result<(), Closed> {
        if self.resync {
            return Ok(());
        }
        let position = self.position;
        self.head
            .wait_for(|head| head.is_some_and(|head| head > position))
            .await
            .map(|_| ())
            .map_err(|_| Closed)
    }

    /// The next messages, oldest first.
    pub(super) async fn take(&mut self) -> Result<Vec<Arc<Message>>, StoreUnavailable> {
        if self.resync {
            return self.resync_message();
        }
        // Read before the ring, which then has every event up to it.
        let head = self
            .head
            .borrow()
            .map_or(self.position, |head| head.max(self.position));
        if let Some(messages) = self.channel.after(self.position, BATCH_EVENTS as usize) {
            self.position = messages.last().map_or(head, |last| last.id);
            return Ok(messages);
        }
        if head.saturating_sub(self.position) > MAX_LAG {
            self.resync_at(head);
            return self.resync_message();
        }
        let _permit = self
            .hub
            .readers()
            .acquire()
            .await
            .map_err(StoreUnavailable::from_source)?;
        let events = self
            .hub
            .source()
            .events(&self.channel.vault.id, self.position, BATCH_EVENTS)
            .await?;
        self.position = events.last().map_or(head, |last| last.id);
        Ok(follower::encode(&self.channel, &events))
    }

    fn resync_message(&mut self) -> Result<Vec<Arc<Message>>, StoreUnavailable> {
        self.resync = false;
        Ok(vec![
            Message::resync(self.position).map_err(StoreUnavailable::from_source)?,
        ])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::watch;

    use super::*;
    use crate::live::{
        replay_buffer,
        testing::{MockEventLog, main_vault, username},
    };

    fn hub(log: &MockEventLog) -> Hub {
        let (sender, stopping) = watch::channel(false);
        // Leaked, because a dropped sender means that the server stops.
        std::mem::forget(sender);
        Hub::new(log.clone(), stopping)
    }

    async fn next_ids(subscription: &mut Subscription) -> Vec<i64> {
        subscription.ready().await.unwrap();
        subscription
            .take()
            .await
            .unwrap()
            .iter()
            .map(|message| message.id)
            .collect()
    }

    async fn ids_up_to(subscription: &mut Subscription, last: i64) -> Vec<i64> {
        let mut ids: Vec<i64> = Vec::new();
        while ids.last().is_none_or(|&id| id < last) {
            ids.extend(next_ids(subscription).await);
        }
        ids
    }

    async fn resync_id(subscription: &mut Subscription) -> Option<i64> {
        subscription.ready().await.unwrap();
        let messages = subscription.take().await.unwrap();
        let json: serde_json::Value =
            serde_json::from_str(&messages[0].for_viewer(&username("eve")).text).unwrap();
        (json["event"] == "resync").then(|| json["id"].as_i64().unwrap())
    }

    /// The readers start in the store and race a writer from the store through the ring to live
    /// events.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn resumed_subscription_misses_and_repeats_no_event() {
        for round in 0..28 {
            let log = if round % 2 == 0 {
                MockEventLog::with_events(2600)
            } else {
                MockEventLog::with_events(2600).without_notifications()
            };
            let hub = hub(&log);
            let writer = tokio::spawn({
                let log = log.clone();
                async move {
                    for n in 0..400 {
                        log.append(1);
                        if n % (round % 7 + 1) == 0 {
                            tokio::task::yield_now().await;
                        }
                    }
                }
            });
            let readers: Vec<_> = (0..8)
                .map(|reader| {
                    let (hub, since) = (hub.clone(), reader * 370);
                    tokio::spawn(async move {
                        let mut subscription =
                            hub.subscribe(&main_vault(), Some(since)).await.unwrap();
                        (since, ids_up_to(&mut subscription, 3000).await)
                    })
                })
                .collect();
            writer.await.unwrap();
            for reader in readers {
                let (since, ids) = reader.await.unwrap();
                assert_eq!(
                    ids,
                    (since + 1..=3000).collect::<Vec<_>>(),
                    "round {round}, since {since}"
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn subscription_receives_events_without_hints() {
        for _ in 0..20 {
            let log = MockEventLog::with_events(5).without_notifications();
            let mut subscription = hub(&log).subscribe(&main_vault(), None).await.unwrap();
            log.append(3);
            assert_eq!(ids_up_to(&mut subscription, 8).await, [6, 7, 8]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hinted_event_is_delivered_immediately() {
        let log = MockEventLog::with_events(5);
        let mut subscription = hub(&log).subscribe(&main_vault(), None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = tokio::time::Instant::now();
        log.append(1);
        assert_eq!(next_ids(&mut subscription).await, [6]);
        assert!(before.elapsed() < Duration::from_millis(10));
    }

    #[tokio::test(start_paused = true)]
    async fn subscription_from_too_old_position_gets_resync() {
        let log = MockEventLog::with_events(MAX_LAG + 50);
        let hub = hub(&log);
        let mut far = hub.subscribe(&main_vault(), Some(49)).await.unwrap();
        let mut near = hub.subscribe(&main_vault(), Some(50)).await.unwrap();
        assert_eq!(resync_id(&mut far).await, Some(MAX_LAG + 50));
        assert_eq!(resync_id(&mut near).await, None);
        log.append(2);
        assert_eq!(
            ids_up_to(&mut far, MAX_LAG + 52).await,
            [MAX_LAG + 51, MAX_LAG + 52]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn lagging_live_subscription_gets_resync() {
        let log = MockEventLog::with_events(1);
        let mut slow = hub(&log).subscribe(&main_vault(), None).await.unwrap();
        log.append(MAX_LAG + 1);
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(resync_id(&mut slow).await, Some(MAX_LAG + 2));
    }

    #[tokio::test(start_paused = true)]
    async fn subscription_from_future_position_gets_resync() {
        let log = MockEventLog::with_events(5);
        let mut ahead = hub(&log)
            .subscribe(&main_vault(), Some(i64::MAX))
            .await
            .unwrap();
        assert_eq!(resync_id(&mut ahead).await, Some(5));
        log.append(1);
        assert_eq!(next_ids(&mut ahead).await, [6]);
    }

    /// The client has event 8 from a node whose follower is ahead of this one.
    #[tokio::test(start_paused = true)]
    async fn subscription_accepts_position_known_only_to_store() {
        let log = MockEventLog::with_events(5).without_notifications();
        let hub = hub(&log);
        let mut early = hub.subscribe(&main_vault(), None).await.unwrap();
        log.append(3);
        let mut ahead = hub.subscribe(&main_vault(), Some(8)).await.unwrap();
        assert_eq!(ids_up_to(&mut early, 8).await, [6, 7, 8]);
        log.append(1);
        assert_eq!(next_ids(&mut ahead).await, [9]);
    }

    #[tokio::test(start_paused = true)]
    async fn thousand_reconnecting_clients_share_few_store_queries() {
        let log = MockEventLog::with_events(i64::try_from(replay_buffer::MAX_MESSAGES).unwrap());
        let hub = hub(&log);
        drop(hub.subscribe(&main_vault(), None).await.unwrap());
        let before = log.queries();
        for since in 0..1000 {
            let mut subscription = hub.subscribe(&main_vault(), Some(since)).await.unwrap();
            assert_eq!(next_ids(&mut subscription).await[0], since + 1);
        }
        assert!(
            log.queries() < before + 10,
            "{} queries",
            log.queries() - before
        );
    }

    #[tokio::test(start_paused = true)]
    async fn unwatched_vault_is_not_polled_until_subscribed() {
        let log = MockEventLog::with_events(5).without_notifications();
        let hub = hub(&log);
        drop(hub.subscribe(&main_vault(), None).await.unwrap());
        tokio::time::sleep(Duration::from_mins(2)).await;
        let before = log.queries();
        log.append(1);
        tokio::time::sleep(Duration::from_mins(2)).await;
        assert_eq!(log.queries(), before);
        let mut subscription = hub.subscribe(&main_vault(), Some(4)).await.unwrap();
        assert_eq!(next_ids(&mut subscription).await, [5, 6]);
    }

    #[tokio::test(start_paused = true)]
    async fn subscription_fails_when_event_log_is_unreadable() {
        let log = MockEventLog::with_events(5);
        log.fail_queries();
        assert!(hub(&log).subscribe(&main_vault(), None).await.is_err());
    }
}
