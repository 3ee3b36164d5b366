//! Whether a stream may go on: asked again whenever sessions or rights changed, and at every ping, since a session also
//! expires without anything happening.

use std::time::Duration;

use auth::{Auth, AuthError, AuthStore, Caller, Permit, Realm, Username};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use vault::action::Read;

use super::hub::Hub;

/// How long an answer may take, and after how long without any a stream is ended.
const ANSWER: Duration = Duration::from_secs(5);
const DOUBT: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Who watches, and whether they still may.
pub trait Watcher: Send + Sync + 'static {
    fn username(&self) -> &Username;
    /// The vault that is watched.
    fn vault(&self) -> &Realm;
    /// Ticks when it is time to [`ask`](Self::ask) again.
    fn changes(&self) -> watch::Receiver<u64>;
    fn ask(&self) -> impl Future<Output = Verdict> + Send;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    GoOn,
    /// The session has ended, or the account was disabled.
    SignedOut,
    /// Signed in, but the vault may not be read any more.
    NoRight,
    /// The store did not answer.
    Unknown,
}

/// Somebody who showed that they may read a vault.
#[derive(Debug)]
pub struct Viewer<S> {
    auth: Auth<S>,
    caller: Caller,
    vault: Realm,
}

impl<S: AuthStore> Viewer<S> {
    #[must_use]
    pub fn new(auth: Auth<S>, caller: Caller, permit: &Permit<Read>) -> Self {
        Self {
            auth,
            caller,
            vault: permit.realm().clone(),
        }
    }
}

impl<S: AuthStore> Watcher for Viewer<S> {
    fn username(&self) -> &Username {
        &self.caller.account().username
    }

    fn vault(&self) -> &Realm {
        &self.vault
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.auth.changes()
    }

    async fn ask(&self) -> Verdict {
        match self.auth.sessions().revalidate(&self.caller).await {
            Ok(caller) if caller.permit::<Read>(Some(&self.vault)).is_ok() => Verdict::GoOn,
            Ok(_) => Verdict::NoRight,
            Err(
                AuthError::Store(_)
                | AuthError::HasherBusy { .. }
                | AuthError::Internal(_)
                | AuthError::MasterKeyMismatch
                | AuthError::MasterKeyUnchanged,
            ) => Verdict::Unknown,
            Err(_) => Verdict::SignedOut,
        }
    }
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client went away.
    Gone,
    /// The client took nothing for too long.
    Stuck,
    /// No sign of life for too long.
    Silent,
    /// The client sent what nobody asked for, too much of it.
    Noisy,
    /// The client sent what is no WebSocket message, or one that is too large.
    Malformed,
    SignedOut,
    NoRight,
    Stopping,
    /// The store did not answer.
    Unavailable,
}

impl End {
    /// The closing code (RFC 6455 §7.4, and 4xxx of our own) and what is said with it.
    pub(super) fn farewell(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Gone | Self::Stuck => None,
            Self::Silent => Some((4000, "No answer to pings.")),
            Self::Noisy => Some((1008, "Nothing is to be sent here.")),
            Self::Malformed => Some((1008, "This is no message, or too large a one.")),
            Self::SignedOut => Some((4001, "The session has ended.")),
            Self::NoRight => Some((4003, "You may not read this vault any more.")),
            Self::Stopping => Some((1001, "The server is stopping.")),
            Self::Unavailable => Some((1013, "Try again later.")),
        }
    }

    /// For metrics.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Stuck => "stuck",
            Self::Silent => "silent",
            Self::Noisy => "noisy",
            Self::Malformed => "malformed",
            Self::SignedOut => "signed_out",
            Self::NoRight => "no_right",
            Self::Stopping => "stopping",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Waits for reasons to end one stream.
pub(super) struct Guard<W> {
    hub: Hub,
    pub(super) watcher: W,
    changes: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    doubt: Option<Doubt>,
}

/// Nobody can say whether the stream may go on.
#[derive(Clone, Copy)]
struct Doubt {
    since: Instant,
    ask_at: Instant,
}

impl<W: Watcher> Guard<W> {
    pub(super) fn new(hub: Hub, watcher: W) -> Self {
        let mut changes = watcher.changes();
        // The door asked just now, but something may have changed since: the first look settles it.
        changes.mark_changed();
        let stopping = hub.stopping();
        Self {
            hub,
            watcher,
            changes,
            stopping,
            doubt: None,
        }
    }

    /// Waits until it is time for a [`verdict`](Self::verdict). May be dropped and called again.
    pub(super) async fn alarm(&mut self) {
        tokio::select! {
            _ = self.stopping.wait_for(|stopping| *stopping) => {}
            _ = self.changes.changed() => {}
            () = until(self.doubt.map(|doubt| doubt.ask_at)) => {}
        }
    }

    /// True if [`alarm`](Self::alarm) would not wait.
    pub(super) fn is_alarmed(&self) -> bool {
        self.changes.has_changed().unwrap_or(true) || self.is_stopping()
    }

    /// The reason to end, if there is one. Not to be dropped half way.
    pub(super) async fn verdict(&mut self) -> Result<(), End> {
        if self.is_stopping() {
            return Err(End::Stopping);
        }
        self.changes.mark_unchanged();
        match timeout(ANSWER, self.ask())
            .await
            .unwrap_or(Verdict::Unknown)
        {
            Verdict::GoOn => {
                self.doubt = None;
                Ok(())
            }
            Verdict::SignedOut => Err(End::SignedOut),
            Verdict::NoRight => Err(End::NoRight),
            Verdict::Unknown => self.doubt(),
        }
    }

    fn doubt(&mut self) -> Result<(), End> {
        let now = Instant::now();
        let since = self.doubt.map_or(now, |doubt| doubt.since);
        self.doubt = Some(Doubt {
            since,
            ask_at: now + ASK_AGAIN,
        });
        if now - since >= DOUBT {
            Err(End::Unavailable)
        } else {
            Ok(())
        }
    }

    async fn ask(&self) -> Verdict {
        let _turn = self.hub.askers().acquire().await;
        self.watcher.ask().await
    }

    fn is_stopping(&self) -> bool {
        // A dropped sender is a server that is being taken down; so is a dropped `Auth`.
        *self.stopping.borrow()
            || self.stopping.has_changed().is_err()
            || self.changes.has_changed().is_err()
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Counts a stream while it is open.
pub(super) struct Open(&'static str);

impl Open {
    pub(super) fn new(kind: &'static str) -> Self {
        metrics::gauge!("strongroom_live_streams", "kind" => kind).increment(1);
        Self(kind)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!("strongroom_live_streams", "kind" => self.0).decrement(1);
    }
}

/// Counts a stream that we ended.
pub(super) fn count_drop(end: End) {
    if end != End::Gone {
        metrics::counter!("strongroom_live_dropped_total", "reason" => end.reason()).increment(1);
    }
}
