//! `GET /ws`: events over a WebSocket (RFC 6455). What the client sends is ignored, but for answers to pings.

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
    guard::{End, Guard, Open, Watcher, count_drop},
    hub::Hub,
    message::Message,
    subscription::Subscription,
};

#[cfg(test)]
mod tests;

const PING: Duration = Duration::from_secs(30);
/// A client that nothing was heard of for so long is gone.
const SILENCE: Duration = Duration::from_secs(75);
/// A client that does not take what it is sent in so long is dropped.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long we wait for the answer to our farewell, so that it is not lost on the way.
const FAREWELL: Duration = Duration::from_secs(2);
/// Frames that a client may send between two pings.
const CHATTER: u32 = 120;

/// Buffers are kept for as long as the socket is: small, so that ten thousand of them stay small.
const READ_BUFFER: usize = 512;
const WRITE_BUFFER: usize = 1024;
const LARGEST_MESSAGE: usize = 4096;

/// Opens the stream from just after the event `since`. Everything recorded after the answer is on it.
///
/// # Errors
/// The event log cannot be read.
pub async fn ws<W: Watcher>(
    upgrade: WebSocketUpgrade,
    hub: Hub,
    watcher: W,
    since: Option<i64>,
) -> Result<Response, StoreUnavailable> {
    let subscription = hub.subscribe(watcher.vault(), since).await?;
    let spread = Duration::from_millis(hub.next_number() * 37 % 15_000);
    let guard = Guard::new(hub, watcher);
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(LARGEST_MESSAGE)
        .max_frame_size(LARGEST_MESSAGE);
    Ok(upgrade.on_upgrade(move |socket| {
        let now = Instant::now();
        let ping_at = now + PING - spread;
        Line {
            socket,
            subscription,
            guard,
            ping_at,
            heard_at: now,
            chatter: 0,
            _open: Open::new("ws"),
        }
        .run()
    }))
}

struct Line<W> {
    socket: WebSocket,
    subscription: Subscription,
    guard: Guard<W>,
    ping_at: Instant,
    heard_at: Instant,
    chatter: u32,
    _open: Open,
}

impl<W: Watcher> Line<W> {
    async fn run(mut self) {
        let Err(end) = self.carry().await;
        count_drop(end);
        if end != End::Stuck {
            let _ = timeout(FAREWELL, self.say_goodbye(end)).await;
        }
    }

    /// Goes on until there is a reason to end.
    async fn carry(&mut self) -> Result<std::convert::Infallible, End> {
        let timer = sleep_until(self.next_look());
        tokio::pin!(timer);
        loop {
            // Waiting is all that is done in here: what is half done when another branch wins would be lost.
            tokio::select! {
                () = self.guard.alarm() => self.guard.verdict().await?,
                ready = self.subscription.ready() => {
                    ready.map_err(|_| End::Stopping)?;
                    self.deliver().await?;
                }
                heard = self.socket.recv() => self.hear(heard.as_ref())?,
                () = &mut timer => {
                    self.look().await?;
                    timer.as_mut().reset(self.next_look());
                }
            }
        }
    }

    async fn deliver(&mut self) -> Result<(), End> {
        if self.guard.is_alarmed() {
            self.guard.verdict().await?;
        }
        let messages = self
            .subscription
            .take()
            .await
            .map_err(|_| End::Unavailable)?;
        let Self { socket, guard, .. } = self;
        let viewer = guard.watcher.username().clone();
        let sending = timeout(PATIENCE, send(socket, &messages, &viewer));
        tokio::pin!(sending);
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => return sent.unwrap_or(Err(End::Stuck)),
                () = guard.alarm() => guard.verdict().await?,
            }
        }
    }

    fn hear(&mut self, heard: Option<&Result<Frame, axum::Error>>) -> Result<(), End> {
        self.heard_at = Instant::now();
        self.chatter += 1;
        match heard {
            None | Some(Ok(Frame::Close(_))) => Err(End::Gone),
            Some(Err(_)) => Err(End::Malformed),
            Some(Ok(_)) if self.chatter > CHATTER => Err(End::Noisy),
            Some(Ok(_)) => Ok(()),
        }
    }

    fn next_look(&self) -> Instant {
        self.ping_at.min(self.heard_at + SILENCE)
    }

    /// Pings, and asks whether the session has expired meanwhile.
    async fn look(&mut self) -> Result<(), End> {
        if self.heard_at.elapsed() >= SILENCE {
            return Err(End::Silent);
        }
        if self.ping_at > Instant::now() {
            return Ok(());
        }
        self.ping_at = Instant::now() + PING;
        self.chatter = 0;
        self.guard.verdict().await?;
        match timeout(PATIENCE, self.socket.send(Frame::Ping(Bytes::new()))).await {
            Ok(sent) => sent.map_err(|_| End::Gone),
            Err(_) => Err(End::Stuck),
        }
    }

    /// Says why, unless the client said goodbye first, and waits for the answer (RFC 6455 §7.1.2). Reading on is also
    /// what sends our answer to theirs.
    async fn say_goodbye(&mut self, end: End) {
        if let Some((code, reason)) = end.farewell() {
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
) -> Result<(), End> {
    for message in messages {
        let text = message.seen_by(viewer).text.clone();
        socket
            .feed(Frame::Text(text))
            .await
            .map_err(|_| End::Gone)?;
    }
    socket.flush().await.map_err(|_| End::Gone)
}
