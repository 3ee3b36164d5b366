//! `GET /api/events`: the same messages as server-sent events (WHATWG HTML §9.2). The streams share
//! encoded messages, which `axum::response::sse` does not allow.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use auth::{StoreUnavailable, Username};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, header};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, sleep_until},
};

use super::{
    hub::Hub,
    session_watch::{CloseReason, OpenStreamGauge, SessionWatch, StreamAuthorizer, record_close},
    subscription::Subscription,
};

/// Proxies close idle connections.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// Tells a page to load the user's notices again, in whichever vault the event was.
const NOTICE: &[u8] = b"event: notice\ndata: {}\n\n";
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "text/event-stream"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

/// Opens the stream from after the event in `Last-Event-ID`, else after `since`. It has every event
/// recorded after the response.
///
/// # Errors
/// If the event log cannot be read.
pub async fn events<W: StreamAuthorizer>(
    headers: &HeaderMap,
    hub: Hub,
    authorizer: W,
    since: Option<i64>,
) -> Result<Response, StoreUnavailable> {
    let subscription = hub
        .subscribe(authorizer.vault(), last_event_id(headers).or(since))
        .await?;
    let sse = SseStream {
        subscription,
        overridden: hub.source().overridden(),
        viewer: authorizer.username().clone(),
        watch: SessionWatch::new(hub, authorizer),
        pending: VecDeque::from([Bytes::from_static(b"retry: 2000\n\n")]),
        heartbeat_at: Instant::now() + HEARTBEAT_INTERVAL,
        is_closed: false,
        _open: OpenStreamGauge::new("sse"),
    };
    let body = stream::unfold(sse, |mut sse| async move {
        let bytes = sse.next().await?;
        Some((Ok::<_, Infallible>(bytes), sse))
    });
    Ok((HEADERS, Body::from_stream(body)).into_response())
}

/// Waits until `user` may have a new notice. May be dropped and called again.
async fn next_notice(overridden: &mut broadcast::Receiver<Username>, user: &Username) {
    loop {
        match overridden.recv().await {
            Ok(holder) if holder == *user => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    headers
        .get("last-event-id")?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

struct SseStream<W> {
    subscription: Subscription,
    watch: SessionWatch<W>,
    pending: VecDeque<Bytes>,
    heartbeat_at: Instant,
    overridden: broadcast::Receiver<Username>,
    viewer: Username,
    is_closed: bool,
    _open: OpenStreamGauge,
}

impl<W: StreamAuthorizer> SseStream<W> {
    /// The next bytes to send, or `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.is_closed {
            if self.watch.check_due()
                && let Err(close_reason) = self.watch.check_access().await
            {
                return self.finish(close_reason);
            }
            if let Some(bytes) = self.pending.pop_front() {
                return Some(bytes);
            }
            if let Err(close_reason) = self.wait().await {
                return self.finish(close_reason);
            }
        }
        None
    }

    /// Waits for something to send, or for a reason to end.
    async fn wait(&mut self) -> Result<(), CloseReason> {
        tokio::select! {
            () = self.watch.wait_for_check() => self.watch.check_access().await,
            ready = self.subscription.ready() => {
                ready.map_err(|_| CloseReason::Stopping)?;
                let messages = self.subscription.take().await.map_err(|_| CloseReason::Unavailable)?;
                let viewer = self.watch.authorizer.username();
                self.pending.extend(messages.iter().map(|message| message.for_viewer(viewer).sse.clone()));
                Ok(())
            }
            () = next_notice(&mut self.overridden, &self.viewer) => {
                self.pending.push_back(Bytes::from_static(NOTICE));
                Ok(())
            }
            () = sleep_until(self.heartbeat_at) => {
                self.heartbeat_at = Instant::now() + HEARTBEAT_INTERVAL;
                self.pending.push_back(Bytes::from_static(b":\n\n"));
                self.watch.check_access().await
            }
        }
    }

    fn finish(&mut self, close_reason: CloseReason) -> Option<Bytes> {
        self.is_closed = true;
        record_close(close_reason);
        let (code, reason) = close_reason.close_frame()?;
        let bye = serde_json::json!({ "code": code, "reason": reason });
        Some(Bytes::from(format!("event: bye\ndata: {bye}\n\n")))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use futures_util::StreamExt;
    use tokio::time::timeout;
    use tower::ServiceExt;

    use super::*;
    use crate::live::{
        StreamAccess,
        testing::{LiveTestServer, MockEventLog},
    };

    async fn open(desk: &LiveTestServer, query: &str, last: Option<&str>) -> Response {
        let mut request = Request::get(format!("/api/events?{query}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        desk.router()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap()
    }

    /// Everything until five seconds pass without data.
    async fn read(body: &mut axum::body::BodyDataStream) -> String {
        let mut text = String::new();
        while let Ok(Some(Ok(bytes))) = timeout(Duration::from_secs(5), body.next()).await {
            text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        text
    }

    fn ids(text: &str) -> Vec<i64> {
        text.lines()
            .filter_map(|line| line.strip_prefix("id: ")?.parse().ok())
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn sse_stream_sends_retry_and_event_ids() {
        let desk = LiveTestServer::start(MockEventLog::with_events(5));
        let answer = open(&desk, "since=3", None).await;
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
        let mut body = answer.into_body().into_data_stream();
        let text = read(&mut body).await;
        assert!(
            text.starts_with("retry: 2000\n\nid: 4\ndata: {\"event\":\"file_updated\",\"id\":4,"),
            "{text}"
        );
        assert_eq!(ids(&text), [4, 5]);
        desk.log.append(2);
        assert_eq!(ids(&read(&mut body).await), [6, 7]);
    }

    #[tokio::test(start_paused = true)]
    async fn sse_last_event_id_overrides_since() {
        let desk = LiveTestServer::start(MockEventLog::with_events(5));
        for (query, last, expected) in [
            ("since=1", Some("4"), vec![5]),
            ("", Some("3"), vec![4, 5]),
            ("since=4", Some("nonsense"), vec![5]),
            ("since=4", Some(""), vec![5]),
            ("", None, vec![]),
        ] {
            let mut body = open(&desk, query, last)
                .await
                .into_body()
                .into_data_stream();
            assert_eq!(ids(&read(&mut body).await), expected, "{query} {last:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn idle_sse_stream_sends_heartbeats() {
        let desk = LiveTestServer::start(MockEventLog::with_events(5));
        let mut body = open(&desk, "", None).await.into_body().into_data_stream();
        read(&mut body).await;
        for _ in 0..3 {
            let beat = timeout(HEARTBEAT_INTERVAL + Duration::from_secs(1), body.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            assert_eq!(beat, ":\n\n");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sse_stream_notifies_only_the_overridden_holder() {
        let desk = LiveTestServer::start(MockEventLog::with_events(5));
        let mut ada = open(&desk, "user=ada", None)
            .await
            .into_body()
            .into_data_stream();
        let mut bob = open(&desk, "user=bob", None)
            .await
            .into_body()
            .into_data_stream();
        read(&mut ada).await;
        read(&mut bob).await;
        desk.log.override_lock_of("ada");
        assert!(read(&mut ada).await.contains("event: notice\ndata: {}\n\n"));
        assert!(!read(&mut bob).await.contains("notice"));
    }

    #[tokio::test(start_paused = true)]
    async fn sse_stream_ends_with_session_and_close_code() {
        for (verdict, code) in [
            (StreamAccess::SignedOut, "4001"),
            (StreamAccess::Forbidden, "4003"),
        ] {
            let desk = LiveTestServer::start(MockEventLog::with_events(5));
            let mut body = open(&desk, "", None).await.into_body().into_data_stream();
            read(&mut body).await;
            desk.set_access(verdict);
            desk.log.append(1);
            let bye = timeout(Duration::from_secs(1), body.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            let bye = std::str::from_utf8(&bye).unwrap();
            assert!(
                bye.starts_with("event: bye\ndata: {") && bye.contains(code),
                "{bye}"
            );
            assert!(body.next().await.is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sse_stream_ends_on_expiry_and_shutdown() {
        let desk = LiveTestServer::start(MockEventLog::with_events(5));
        let mut expired = open(&desk, "", None).await.into_body().into_data_stream();
        read(&mut expired).await;
        desk.set_access_silently(StreamAccess::SignedOut);
        let at = Instant::now();
        while expired.next().await.is_some() {}
        assert!(at.elapsed() <= HEARTBEAT_INTERVAL);
        desk.set_access_silently(StreamAccess::Allowed);
        let mut stopped = open(&desk, "", None).await.into_body().into_data_stream();
        read(&mut stopped).await;
        desk.stop();
        assert!(read(&mut stopped).await.contains("1001"));
    }
}
