//! `GET /ws`: events over a WebSocket (RFC 6455). Frames of the client are ignored, except pongs.

use std::{sync::Arc, time::Duration};

use auth::StoreUnavailable;
use axum::{
    extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade},
    response::Response,
};
use bytes::Bytes;
use futures_util::SinkExt;
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    hub::Hub,
    message::Message,
    session_watch::{CloseReason, OpenStreamGauge, SessionWatch, StreamAuthorizer, record_close},
    subscription::Subscription,
};

#[cfg(test)]
mod tests;

const PING_INTERVAL: Duration = Duration::from_secs(30);
/// A client that sends nothing for this time is disconnected.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(75);
/// A client that does not read a message within this time is disconnected.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Time to wait for the client's close frame, so that ours is not lost.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Frames that a client may send between two pings. More close the socket with 1008.
const MAX_CLIENT_FRAMES: u32 = 120;

/// Bytes of the buffers, which live as long as the socket. Small, for 10,000 sockets.
const READ_BUFFER_BYTES: usize = 512;
const WRITE_BUFFER_BYTES: usize = 1024;
const MAX_MESSAGE_BYTES: usize = 4096;

/// Opens the stream from after the event `since`. It has every event recorded after the response.
///
/// # Errors
/// If the event log cannot be read.
pub async fn ws<W: StreamAuthorizer>(
    upgrade: WebSocketUpgrade,
    hub: Hub,
    authorizer: W,
    since: Option<i64>,
) -> Result<Response, StoreUnavailable> {
    let subscription = hub.subscribe(authorizer.vault(), since).await?;
    let spread = Duration::from_millis(hub.next_connection_number() * 37 % 15_000);
    let watch = SessionWatch::new(hub, authorizer);
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(move |socket| {
        let now = Instant::now();
        let ping_at = now + PING_INTERVAL - spread;
        SocketStream {
            socket,
            subscription,
            watch,
            ping_at,
            last_frame_at: now,
            frames_since_ping: 0,
            _open: OpenStreamGauge::new("ws"),
        }
        .run()
    }))
}

struct SocketStream<W> {
    socket: WebSocket,
    subscription: Subscription,
    watch: SessionWatch<W>,
    ping_at: Instant,
    last_frame_at: Instant,
    frames_since_ping: u32,
    _open: OpenStreamGauge,
}

impl<W: StreamAuthorizer> SocketStream<W> {
    async fn run(mut self) {
        let Err(close_reason) = self.run_until_closed().await;
        record_close(close_reason);
        if close_reason != CloseReason::SlowConsumer {
            let _ = timeout(CLOSE_TIMEOUT, self.close(close_reason)).await;
        }
    }

    /// Runs until there is a reason to end.
    async fn run_until_closed(&mut self) -> Result<std::convert::Infallible, CloseReason> {
        let timer = sleep_until(self.next_deadline());
        tokio::pin!(timer);
        loop {
            // The futures only wait, because the work of a losing branch would be lost.
            tokio::select! {
                () = self.watch.wait_for_check() => self.watch.check_access().await?,
                ready = self.subscription.ready() => {
                    ready.map_err(|_| CloseReason::Stopping)?;
                    self.deliver().await?;
                }
                frame = self.socket.recv() => self.on_frame(frame.as_ref())?,
                () = &mut timer => {
                    self.on_deadline().await?;
                    timer.as_mut().reset(self.next_deadline());
                }
            }
        }
    }

    async fn deliver(&mut self) -> Result<(), CloseReason> {
        if self.watch.check_due() {
            self.watch.check_access().await?;
        }
        let messages = self
            .subscription
            .take()
            .await
            .map_err(|_| CloseReason::Unavailable)?;
        let Self { socket, watch, .. } = self;
        let viewer = watch.authorizer.username().clone();
        let sending = timeout(SEND_TIMEOUT, send(socket, &messages, &viewer));
        tokio::pin!(sending);
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => return sent.unwrap_or(Err(CloseReason::SlowConsumer)),
                () = watch.wait_for_check() => watch.check_access().await?,
            }
        }
    }

    fn on_frame(&mut self, frame: Option<&Result<Frame, axum::Error>>) -> Result<(), CloseReason> {
        self.last_frame_at = Instant::now();
        self.frames_since_ping += 1;
        match frame {
            None | Some(Ok(Frame::Close(_))) => Err(CloseReason::ClientGone),
            Some(Err(_)) => Err(CloseReason::Malformed),
            Some(Ok(_)) if self.frames_since_ping > MAX_CLIENT_FRAMES => {
                Err(CloseReason::UnexpectedData)
            }
            Some(Ok(_)) => Ok(()),
        }
    }

    fn next_deadline(&self) -> Instant {
        self.ping_at.min(self.last_frame_at + SILENCE_TIMEOUT)
    }

    /// Sends a ping, and checks whether the session has expired.
    async fn on_deadline(&mut self) -> Result<(), CloseReason> {
        if self.last_frame_at.elapsed() >= SILENCE_TIMEOUT {
            return Err(CloseReason::PingTimeout);
        }
        if self.ping_at > Instant::now() {
            return Ok(());
        }
        self.ping_at = Instant::now() + PING_INTERVAL;
        self.frames_since_ping = 0;
        self.watch.check_access().await?;
        match timeout(SEND_TIMEOUT, self.socket.send(Frame::Ping(Bytes::new()))).await {
            Ok(sent) => sent.map_err(|_| CloseReason::ClientGone),
            Err(_) => Err(CloseReason::SlowConsumer),
        }
    }

    /// Sends the close frame, unless the client closed first, and waits for the client's (RFC 6455
    /// §7.1.2). Reading also sends the reply to the client's close frame.
    async fn close(&mut self, close_reason: CloseReason) {
        if let Some((code, reason)) = close_reason.close_frame() {
            let close = CloseFrame {
                code,
                reason: reason.into(),
            };
            if self.socket.send(Frame::Close(Some(close))).await.is_err() {
                return;
            }
        }
        while let Some(Ok(_)) = self.socket.recv().await {}
    }
}

async fn send(
    socket: &mut WebSocket,
    messages: &[Arc<Message>],
    viewer: &auth::Username,
) -> Result<(), CloseReason> {
    for message in messages {
        let text = message.for_viewer(viewer).text.clone();
        socket
            .feed(Frame::Text(text))
            .await
            .map_err(|_| CloseReason::ClientGone)?;
    }
    socket.flush().await.map_err(|_| CloseReason::ClientGone)
}
