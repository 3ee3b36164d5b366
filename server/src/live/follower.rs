//! Reads a vault's event log as it grows, once for all of its streams.

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
    ring,
};

/// Correct without hints, since other processes and nodes write too.
const POLL: Duration = Duration::from_secs(1);
/// After something was published, what follows is gathered for so long: thousands of commits a second become hundreds
/// of wake-ups of each stream.
const GATHER: Duration = Duration::from_millis(5);
/// A vault that nobody watched for so long is not followed any more.
const IDLE: Duration = Duration::from_mins(1);
const PAGE: u32 = 500;

/// Runs until the server stops or nobody has watched the vault for a while.
pub(super) async fn follow(hub: Hub, channel: Arc<Channel>, head: watch::Sender<Option<i64>>) {
    let mut hints = Hints {
        receiver: Some(hub.source().recorded()),
        vault: channel.vault.id.clone(),
    };
    let mut stopping = hub.stopping();
    let mut watched_at = Instant::now();
    // Whatever ends this task, streams that come later start another one.
    let _leave = Leave {
        hub: hub.clone(),
        channel: channel.clone(),
    };
    loop {
        match catch_up(&hub, &channel, &head).await {
            Ok(0) => {}
            Ok(_) => sleep(GATHER).await,
            Err(error) => {
                tracing::warn!(vault.name = %channel.vault.name, %error, "cannot read the event log")
            }
        }
        if Channel::is_watched(&head) {
            watched_at = Instant::now();
        } else if watched_at.elapsed() > IDLE
            && hub.forget(&channel, || !Channel::is_watched(&head))
        {
            return;
        }
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = hints.next() => {}
            () = sleep(POLL) => {}
        }
    }
}

struct Leave {
    hub: Hub,
    channel: Arc<Channel>,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.hub.forget(&self.channel, || true);
    }
}

/// Publishes everything that is new; says how many.
async fn catch_up(
    hub: &Hub,
    channel: &Channel,
    head: &watch::Sender<Option<i64>>,
) -> Result<usize, StoreUnavailable> {
    let vault = &channel.vault.id;
    let known = *head.borrow();
    let Some(mut at) = known else {
        return begin(hub, channel, head).await;
    };
    let mut published = 0;
    loop {
        let page = hub.source().events(vault, at, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(published);
        };
        at = last.id;
        channel.push(encode(channel, &page));
        head.send_replace(Some(at));
        published += page.len();
        metrics::counter!("strongroom_live_events_total").increment(page.len() as u64);
        if page.len() < PAGE as usize {
            return Ok(published);
        }
    }
}

/// Fills the ring with the newest events, so that clients that reconnect after a restart find theirs in memory.
async fn begin(
    hub: &Hub,
    channel: &Channel,
    head: &watch::Sender<Option<i64>>,
) -> Result<usize, StoreUnavailable> {
    let vault = &channel.vault.id;
    let newest = hub.source().head(vault).await?;
    let mut at = (newest - i64::try_from(ring::MOST).unwrap_or(0)).max(0);
    channel.start_above(at);
    while at < newest {
        let page = hub.source().events(vault, at, PAGE).await?;
        let Some(last) = page.last() else { break };
        at = last.id;
        channel.push(encode(channel, &page));
    }
    head.send_replace(Some(at));
    Ok(0)
}

pub(super) fn encode(channel: &Channel, events: &[Event]) -> Vec<Arc<Message>> {
    let encode = |event| match Message::of(event, &channel.vault.name) {
        Ok(message) => Some(message),
        Err(error) => {
            tracing::error!(event.id = event.id, %error, "an event is left out");
            None
        }
    };
    events.iter().filter_map(encode).collect()
}

struct Hints {
    receiver: Option<broadcast::Receiver<VaultId>>,
    vault: VaultId,
}

impl Hints {
    /// Waits until something was recorded in the vault, or may have been. For ever, where no more hints can come.
    async fn next(&mut self) {
        while let Some(receiver) = &mut self.receiver {
            match receiver.recv().await {
                Ok(vault) if vault != self.vault => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    // Those that came meanwhile are answered by the same read.
                    *receiver = receiver.resubscribe();
                    return;
                }
                Err(broadcast::error::RecvError::Closed) => self.receiver = None,
            }
        }
        std::future::pending::<()>().await;
    }
}
