//! `GET /api/events`: the same messages as server-sent events (WHATWG HTML §9.2).

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use auth::Unavailable;
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, header};
use tokio::time::{Instant, sleep_until};

use super::{
    guard::{End, Guard, Open, Watcher, count_drop},
    hub::Hub,
    subscription::Subscription,
};

/// Proxies give up on a connection that says nothing.
const HEARTBEAT: Duration = Duration::from_secs(15);
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "text/event-stream"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

/// Opens the stream from just after the event named by `Last-Event-ID`, else `since`. Everything recorded after the answer
/// is on it.
///
/// # Errors
/// The event log cannot be read.
pub async fn events<W: Watcher>(
    headers: &HeaderMap,
    hub: Hub,
    watcher: W,
    since: Option<i64>,
) -> Result<Response, Unavailable> {
    let subscription = hub.subscribe(watcher.vault(), last_event_id(headers).or(since)).await?;
    let carrier = Carrier {
        subscription,
        guard: Guard::new(hub, watcher),
        pending: VecDeque::from([Bytes::from_static(b"retry: 2000\n\n")]),
        heartbeat_at: Instant::now() + HEARTBEAT,
        over: false,
        _open: Open::new("sse"),
    };
    let body = stream::unfold(carrier, |mut carrier| async move {
        let bytes = carrier.next().await?;
        Some((Ok::<_, Infallible>(bytes), carrier))
    });
    Ok((HEADERS, Body::from_stream(body)).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok()
}

struct Carrier<W> {
    subscription: Subscription,
    guard: Guard<W>,
    pending: VecDeque<Bytes>,
    heartbeat_at: Instant,
    over: bool,
    _open: Open,
}

impl<W: Watcher> Carrier<W> {
    /// What to send next; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.over {
            if self.guard.is_alarmed()
                && let Err(end) = self.guard.verdict().await
            {
                return self.finish(end);
            }
            if let Some(bytes) = self.pending.pop_front() {
                return Some(bytes);
            }
            if let Err(end) = self.wait().await {
                return self.finish(end);
            }
        }
        None
    }

    /// Waits for something to send, or for a reason to end.
    async fn wait(&mut self) -> Result<(), End> {
        tokio::select! {
            () = self.guard.alarm() => self.guard.verdict().await,
            ready = self.subscription.ready() => {
                ready.map_err(|_| End::Stopping)?;
                let messages = self.subscription.take().await.map_err(|_| End::Unavailable)?;
                let viewer = self.guard.watcher.username();
                self.pending.extend(messages.iter().map(|message| message.seen_by(viewer).sse.clone()));
                Ok(())
            }
            () = sleep_until(self.heartbeat_at) => {
                self.heartbeat_at = Instant::now() + HEARTBEAT;
                self.pending.push_back(Bytes::from_static(b":\n\n"));
                self.guard.verdict().await
            }
        }
    }

    fn finish(&mut self, end: End) -> Option<Bytes> {
        self.over = true;
        count_drop(end);
        let (code, reason) = end.farewell()?;
        let bye = serde_json::json!({ "code": code, "reason": reason });
        Some(Bytes::from(format!("event: bye\ndata: {bye}\n\n")))
    }
}
