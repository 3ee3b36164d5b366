//! A place in a vault's event log, moving forward. Whatever is newer than the place comes next, from memory or from the
//! store: a stream that is behind and one that is not take the same way, so there is no seam between the two.

use std::sync::Arc;

use auth::StoreUnavailable;
use tokio::sync::watch;

use super::{
    follower,
    hub::{Channel, Hub},
    message::Message,
};

/// Who is further behind than so many events is told to load the list again.
pub(super) const FARTHEST: i64 = 10_000;
/// How many events are taken at one time.
const BATCH: u32 = 256;

#[derive(Debug)]
pub(super) struct Subscription {
    hub: Hub,
    channel: Arc<Channel>,
    head: watch::Receiver<Option<i64>>,
    /// Everything up to here was taken. Only grows.
    place: i64,
    /// The next thing to say is that the client missed something.
    resync: bool,
}

/// The follower has ended: the server is stopping.
#[derive(Debug)]
pub(super) struct Over;

impl Subscription {
    pub(super) fn new(
        hub: Hub,
        channel: Arc<Channel>,
        head: watch::Receiver<Option<i64>>,
        place: i64,
    ) -> Self {
        Self {
            hub,
            channel,
            head,
            place,
            resync: false,
        }
    }

    pub(super) fn go_back_to(&mut self, place: i64) {
        self.place = place;
    }

    pub(super) fn resync_at(&mut self, place: i64) {
        self.place = place;
        self.resync = true;
    }

    /// Waits until there is something to [`take`](Self::take). May be dropped and called again.
    pub(super) async fn ready(&mut self) -> Result<(), Over> {
        if self.resync {
            return Ok(());
        }
        let place = self.place;
        self.head
            .wait_for(|head| head.is_some_and(|head| head > place))
            .await
            .map(|_| ())
            .map_err(|_| Over)
    }

    /// What comes next, oldest first.
    pub(super) async fn take(&mut self) -> Result<Vec<Arc<Message>>, StoreUnavailable> {
        if self.resync {
            return self.say_resync();
        }
        // Asked before the ring, which then holds everything up to it.
        let head = self
            .head
            .borrow()
            .map_or(self.place, |head| head.max(self.place));
        if let Some(messages) = self.channel.after(self.place, BATCH as usize) {
            self.place = messages.last().map_or(head, |last| last.id);
            return Ok(messages);
        }
        if head.saturating_sub(self.place) > FARTHEST {
            self.resync_at(head);
            return self.say_resync();
        }
        let _turn = self
            .hub
            .readers()
            .acquire()
            .await
            .map_err(StoreUnavailable::from_source)?;
        let events = self
            .hub
            .source()
            .events(&self.channel.vault.id, self.place, BATCH)
            .await?;
        self.place = events.last().map_or(head, |last| last.id);
        Ok(follower::encode(&self.channel, &events))
    }

    fn say_resync(&mut self) -> Result<Vec<Arc<Message>>, StoreUnavailable> {
        self.resync = false;
        Ok(vec![
            Message::resync(self.place).map_err(StoreUnavailable::from_source)?,
        ])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::watch;

    use super::*;
    use crate::live::{
        ring,
        testing::{Log, main_vault, user},
    };

    fn hub(log: &Log) -> Hub {
        let (sender, stopping) = watch::channel(false);
        // Kept for ever: a dropped one is a server that stops.
        std::mem::forget(sender);
        Hub::new(log.clone(), stopping)
    }

    async fn next(subscription: &mut Subscription) -> Vec<i64> {
        subscription.ready().await.unwrap();
        subscription
            .take()
            .await
            .unwrap()
            .iter()
            .map(|message| message.id)
            .collect()
    }

    async fn up_to(subscription: &mut Subscription, last: i64) -> Vec<i64> {
        let mut ids: Vec<i64> = Vec::new();
        while ids.last().is_none_or(|&id| id < last) {
            ids.extend(next(subscription).await);
        }
        ids
    }

    async fn says_resync(subscription: &mut Subscription) -> Option<i64> {
        subscription.ready().await.unwrap();
        let messages = subscription.take().await.unwrap();
        let json: serde_json::Value =
            serde_json::from_str(&messages[0].seen_by(&user("eve")).text).unwrap();
        (json["event"] == "resync").then(|| json["id"].as_i64().unwrap())
    }

    /// Old enough to begin in the store, racing a writer all the way: from the store into the ring into the present.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn resumed_subscription_misses_and_repeats_no_event() {
        for round in 0..28 {
            let log = if round % 2 == 0 {
                Log::of(2600)
            } else {
                Log::of(2600).without_hints()
            };
            let hub = hub(&log);
            let writer = tokio::spawn({
                let log = log.clone();
                async move {
                    for n in 0..400 {
                        log.record(1);
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
                        (since, up_to(&mut subscription, 3000).await)
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
            let log = Log::of(5).without_hints();
            let mut subscription = hub(&log).subscribe(&main_vault(), None).await.unwrap();
            log.record(3);
            assert_eq!(up_to(&mut subscription, 8).await, [6, 7, 8]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hinted_event_is_delivered_immediately() {
        let log = Log::of(5);
        let mut subscription = hub(&log).subscribe(&main_vault(), None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = tokio::time::Instant::now();
        log.record(1);
        assert_eq!(next(&mut subscription).await, [6]);
        assert!(before.elapsed() < Duration::from_millis(10));
    }

    #[tokio::test(start_paused = true)]
    async fn subscription_from_too_old_position_gets_resync() {
        let log = Log::of(FARTHEST + 50);
        let hub = hub(&log);
        let mut far = hub.subscribe(&main_vault(), Some(49)).await.unwrap();
        let mut near = hub.subscribe(&main_vault(), Some(50)).await.unwrap();
        assert_eq!(says_resync(&mut far).await, Some(FARTHEST + 50));
        assert_eq!(says_resync(&mut near).await, None);
        log.record(2);
        assert_eq!(
            up_to(&mut far, FARTHEST + 52).await,
            [FARTHEST + 51, FARTHEST + 52]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn lagging_live_subscription_gets_resync() {
        let log = Log::of(1);
        let mut slow = hub(&log).subscribe(&main_vault(), None).await.unwrap();
        log.record(FARTHEST + 1);
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(says_resync(&mut slow).await, Some(FARTHEST + 2));
    }

    #[tokio::test(start_paused = true)]
    async fn subscription_from_future_position_gets_resync() {
        let log = Log::of(5);
        let mut ahead = hub(&log)
            .subscribe(&main_vault(), Some(i64::MAX))
            .await
            .unwrap();
        assert_eq!(says_resync(&mut ahead).await, Some(5));
        log.record(1);
        assert_eq!(next(&mut ahead).await, [6]);
    }

    /// The client heard of event 8 from a node whose follower was quicker than ours.
    #[tokio::test(start_paused = true)]
    async fn subscription_accepts_position_known_only_to_store() {
        let log = Log::of(5).without_hints();
        let hub = hub(&log);
        let mut early = hub.subscribe(&main_vault(), None).await.unwrap();
        log.record(3);
        let mut ahead = hub.subscribe(&main_vault(), Some(8)).await.unwrap();
        assert_eq!(up_to(&mut early, 8).await, [6, 7, 8]);
        log.record(1);
        assert_eq!(next(&mut ahead).await, [9]);
    }

    #[tokio::test(start_paused = true)]
    async fn thousand_reconnecting_clients_share_few_store_queries() {
        let log = Log::of(i64::try_from(ring::MOST).unwrap());
        let hub = hub(&log);
        drop(hub.subscribe(&main_vault(), None).await.unwrap());
        let before = log.queries();
        for since in 0..1000 {
            let mut subscription = hub.subscribe(&main_vault(), Some(since)).await.unwrap();
            assert_eq!(next(&mut subscription).await[0], since + 1);
        }
        assert!(
            log.queries() < before + 10,
            "{} queries",
            log.queries() - before
        );
    }

    #[tokio::test(start_paused = true)]
    async fn unwatched_vault_is_not_polled_until_subscribed() {
        let log = Log::of(5).without_hints();
        let hub = hub(&log);
        drop(hub.subscribe(&main_vault(), None).await.unwrap());
        tokio::time::sleep(Duration::from_mins(2)).await;
        let before = log.queries();
        log.record(1);
        tokio::time::sleep(Duration::from_mins(2)).await;
        assert_eq!(log.queries(), before);
        let mut subscription = hub.subscribe(&main_vault(), Some(4)).await.unwrap();
        assert_eq!(next(&mut subscription).await, [5, 6]);
    }

    #[tokio::test(start_paused = true)]
    async fn subscription_fails_when_event_log_is_unreadable() {
        let log = Log::of(5);
        log.break_down();
        assert!(hub(&log).subscribe(&main_vault(), None).await.is_err());
    }
}
