//! Reads the event log of a vault as it grows, once for all its streams.

use std::{sync::Arc, time::Duration};

use auth::StoreUnavailable;
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, sleep},
};
use vault::{Event, VaultId};

use super::{
    hub::{Channel, Hub},
    message::Message,
    replay_buffer,
};

/// Polling finds events of other processes and nodes, which send no hints.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Pause after a publication, in which further events accumulate. Thousands of commits per second
/// become hundreds of wake-ups per stream.
const BATCH_DELAY: Duration = Duration::from_millis(5);
/// A vault without streams for this time is no longer followed.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
const PAGE_EVENTS: u32 = 500;

/// Runs until the server stops or the vault has had no stream for [`IDLE`].
pub(super) async fn run(hub: Hub, channel: Arc<Channel>, head: watch::Sender<Option<i64>>) {
    let mut notifications = Notifications {
        receiver: Some(hub.source().recorded()),
        vault: channel.vault.id.clone(),
    };
    let mut stopping = hub.stopping();
    let mut watched_at = Instant::now();
    // Later streams start a new task, even after a panic of this one.
    let _remove_on_drop = RemoveOnDrop {
        hub: hub.clone(),
        channel: channel.clone(),
    };
    loop {
        match catch_up(&hub, &channel, &head).await {
            Ok(0) => {}
            Ok(_) => sleep(BATCH_DELAY).await,
            Err(error) => {
                tracing::warn!(vault.name = %channel.vault.name, %error, "cannot read the event log");
            }
        }
        if Channel::is_watched(&head) {
            watched_at = Instant::now();
        } else if watched_at.elapsed() > IDLE_TIMEOUT
            && hub.remove_channel(&channel, || !Channel::is_watched(&head))
        {
            return;
        }
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = notifications.wait() => {}
            () = sleep(POLL_INTERVAL) => {}
        }
    }
}

struct RemoveOnDrop {
    hub: Hub,
    channel: Arc<Channel>,
}

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        self.hub.remove_channel(&self.channel, || true);
    }
}

/// Publishes the new events and returns their number.
async fn catch_up(
    hub: &Hub,
    channel: &Channel,
    head: &watch::Sender<Option<i64>>,
) -> Result<usize, StoreUnavailable> {
    let vault = &channel.vault.id;
    let known = *head.borrow();
    let Some(mut at) = known else {
        return load_recent(hub, channel, head).await;
    };
    let mut published = 0;
    loop {
        let page = hub.source().events(vault, at, PAGE_EVENTS).await?;
        let Some(last) = page.last() else {
            return Ok(published);
        };
        at = last.id;
        channel.push(encode(channel, &page));
        head.send_replace(Some(at));
        published += page.len();
        metrics::counter!("strongroom_live_events_total").increment(page.len() as u64);
        if page.len() < PAGE_EVENTS as usize {
            return Ok(published);
        }
    }
}

/// Fills the ring with the newest events, so that clients that reconnect after a restart are served
/// from memory.
async fn load_recent(
    hub: &Hub,
    channel: &Channel,
    head: &watch::Sender<Option<i64>>,
) -> Result<usize, StoreUnavailable> {
    let vault = &channel.vault.id;
    let newest = hub.source().head(vault).await?;
    let mut at = (newest - i64::try_from(replay_buffer::MAX_MESSAGES).unwrap_or(0)).max(0);
    channel.reset_to(at);
    while at < newest {
        let page = hub.source().events(vault, at, PAGE_EVENTS).await?;
        let Some(last) = page.last() else { break };
        at = last.id;
        channel.push(encode(channel, &page));
    }
    head.send_replace(Some(at));
    Ok(0)
}

pub(super) fn encode(channel: &Channel, events: &[Event]) -> Vec<Arc<Message>> {
    let encode = |event| match Message::encode(event, &channel.vault.name) {
        Ok(message) => Some(message),
        Err(error) => {
            tracing::error!(event.id = event.id, %error, "event skipped");
            None
        }
    };
    events.iter().filter_map(encode).collect()
}

struct Notifications {
    receiver: Option<broadcast::Receiver<VaultId>>,
    vault: VaultId,
}

impl Notifications {
    /// Waits until the vault has, or may have, a new event. Never returns once the sender is gone.
    async fn wait(&mut self) {
        while let Some(receiver) = &mut self.receiver {
            match receiver.recv().await {
                Ok(vault) if vault != self.vault => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    // The same read of the log covers the hints in the queue.
                    *receiver = receiver.resubscribe();
                    return;
                }
                Err(broadcast::error::RecvError::Closed) => self.receiver = None,
            }
        }
        std::future::pending::<()>().await;
    }
}
