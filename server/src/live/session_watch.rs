//! Continuous authorization of a stream: a check after every change of sessions or rights, and one
//! at every ping, because a session can expire without a change.

use std::time::Duration;

use auth::{
    Auth, AuthError, AuthStore, Caller, Permit, Realm, Username,
    error::{KeyError, ThrottleError},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use vault::action::Read;

use super::hub::Hub;
use crate::open_streams::StreamSlot;

/// Time for one check, and time without a result after which a stream ends.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_OUTAGE: Duration = Duration::from_secs(30);
const RECHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The user of a stream, and the check of their access.
pub trait StreamAuthorizer: Send + Sync + 'static {
    fn username(&self) -> &Username;
    /// The vault of the stream.
    fn vault(&self) -> &Realm;
    /// Changes when a new `check` is due.
    fn changes(&self) -> watch::Receiver<u64>;
    fn check(&self) -> impl Future<Output = StreamAccess> + Send;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamAccess {
    Allowed,
    /// The session has ended, or the account was disabled.
    SignedOut,
    /// The session is valid, but has lost the right to read the vault.
    Forbidden,
    /// The store did not answer.
    Unavailable,
}

/// A caller with a permit to read a vault, and the place of its stream.
#[derive(Debug)]
pub struct VaultViewer<S> {
    auth: Auth<S>,
    caller: Caller,
    vault: Realm,
    _slot: StreamSlot,
}

impl<S: AuthStore> VaultViewer<S> {
    #[must_use]
    pub fn new(auth: Auth<S>, caller: Caller, permit: &Permit<Read>, slot: StreamSlot) -> Self {
        Self {
            auth,
            caller,
            vault: permit.realm().clone(),
            _slot: slot,
        }
    }
}

impl<S: AuthStore> StreamAuthorizer for VaultViewer<S> {
    fn username(&self) -> &Username {
        &self.caller.account().username
    }

    fn vault(&self) -> &Realm {
        &self.vault
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.auth.changes()
    }

    async fn check(&self) -> StreamAccess {
        match self.auth.sessions().revalidate(&self.caller).await {
            Ok(caller) if caller.permit::<Read>(Some(&self.vault)).is_ok() => StreamAccess::Allowed,
            Ok(_) => StreamAccess::Forbidden,
            Err(
                AuthError::Store(_)
                | AuthError::Throttle(ThrottleError::HasherBusy { .. })
                | AuthError::Internal(_)
                | AuthError::Key(KeyError::MasterKeyMismatch | KeyError::MasterKeyUnchanged),
            ) => StreamAccess::Unavailable,
            Err(_) => StreamAccess::SignedOut,
        }
    }
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// The client has disconnected.
    ClientGone,
    /// The client read nothing for too long.
    SlowConsumer,
    /// The client sent nothing for too long, not even pongs.
    PingTimeout,
    /// The client sent too many unexpected frames.
    UnexpectedData,
    /// The client sent a malformed or too large message.
    Malformed,
    SignedOut,
    Forbidden,
    Stopping,
    /// The store did not answer.
    Unavailable,
}

impl CloseReason {
    /// The close code (RFC 6455 §7.4; 4xxx are private) and its reason.
    pub(crate) fn close_frame(self) -> Option<(u16, &'static str)> {
        match self {
            Self::ClientGone | Self::SlowConsumer => None,
            Self::PingTimeout => Some((4000, "The client did not answer pings.")),
            Self::UnexpectedData => Some((1008, "The client sent an unexpected message.")),
            Self::Malformed => Some((1008, "The message is malformed or too large.")),
            Self::SignedOut => Some((4001, "The session has ended.")),
            Self::Forbidden => Some((4003, "The caller may no longer read this vault.")),
            Self::Stopping => Some((1001, "The server is stopping.")),
            Self::Unavailable => Some((1013, "The database is down. Try again later.")),
        }
    }

    /// The label in metrics.
    pub(crate) fn metric_label(self) -> &'static str {
        match self {
            Self::ClientGone => "gone",
            Self::SlowConsumer => "stuck",
            Self::PingTimeout => "silent",
            Self::UnexpectedData => "noisy",
            Self::Malformed => "malformed",
            Self::SignedOut => "signed_out",
            Self::Forbidden => "no_right",
            Self::Stopping => "stopping",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Waits for reasons to end one stream.
pub(crate) struct SessionWatch<W> {
    hub: Hub,
    pub(crate) authorizer: W,
    changes: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    outage: Option<Outage>,
}

/// A period in which the check had no result.
#[derive(Clone, Copy)]
struct Outage {
    since: Instant,
    recheck_at: Instant,
}

impl<W: StreamAuthorizer> SessionWatch<W> {
    pub(crate) fn new(hub: Hub, authorizer: W) -> Self {
        let mut changes = authorizer.changes();
        // Something may have changed since the door's check, so the first check is due at once.
        changes.mark_changed();
        let stopping = hub.stopping();
        Self {
            hub,
            authorizer,
            changes,
            stopping,
            outage: None,
        }
    }

    /// Waits until it is time for a [`check_access`](Self::check_access). May be dropped and called again.
    pub(crate) async fn wait_for_check(&mut self) {
        tokio::select! {
            _ = self.stopping.wait_for(|stopping| *stopping) => {}
            _ = self.changes.changed() => {}
            () = sleep_until_some(self.outage.map(|outage| outage.recheck_at)) => {}
        }
    }

    /// True if [`alarm`](Self::alarm) would not wait.
    pub(crate) fn check_due(&self) -> bool {
        self.access_changed() || self.is_stopping()
    }

    /// The reason to end, if there is one. Not cancellation-safe.
    pub(crate) async fn check_access(&mut self) -> Result<(), CloseReason> {
        if self.is_stopping() {
            return Err(CloseReason::Stopping);
        }
        self.check_caller().await
    }

    /// True if sessions or rights have changed since the last check.
    pub(crate) fn access_changed(&self) -> bool {
        self.changes.has_changed().unwrap_or(true)
    }

    /// [`check_access`](Self::check_access) for a stream that outlasts the start of a shutdown.
    pub(crate) async fn check_caller(&mut self) -> Result<(), CloseReason> {
        self.changes.mark_unchanged();
        match timeout(CHECK_TIMEOUT, self.query_access())
            .await
            .unwrap_or(StreamAccess::Unavailable)
        {
            StreamAccess::Allowed => {
                self.outage = None;
                Ok(())
            }
            StreamAccess::SignedOut => Err(CloseReason::SignedOut),
            StreamAccess::Forbidden => Err(CloseReason::Forbidden),
            StreamAccess::Unavailable => self.outage(),
        }
    }

    fn outage(&mut self) -> Result<(), CloseReason> {
        let now = Instant::now();
        let since = self.outage.map_or(now, |outage| outage.since);
        self.outage = Some(Outage {
            since,
            recheck_at: now + RECHECK_INTERVAL,
        });
        if now - since >= MAX_OUTAGE {
            Err(CloseReason::Unavailable)
        } else {
            Ok(())
        }
    }

    async fn query_access(&self) -> StreamAccess {
        let _permit = self.hub.auth_checks().acquire().await;
        self.authorizer.check().await
    }

    fn is_stopping(&self) -> bool {
        // A dropped sender or `Auth` means that the server is shutting down.
        *self.stopping.borrow()
            || self.stopping.has_changed().is_err()
            || self.changes.has_changed().is_err()
    }
}

async fn sleep_until_some(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Counts a stream while it is open.
pub(crate) struct OpenStreamGauge(&'static str);

impl OpenStreamGauge {
    pub(crate) fn new(kind: &'static str) -> Self {
        metrics::gauge!("strongroom_live_streams", "kind" => kind).increment(1);
        Self(kind)
    }
}

impl Drop for OpenStreamGauge {
    fn drop(&mut self) {
        metrics::gauge!("strongroom_live_streams", "kind" => self.0).decrement(1);
    }
}

/// Counts a stream that the server ended.
pub(crate) fn record_close(close_reason: CloseReason) {
    if close_reason != CloseReason::ClientGone {
        metrics::counter!("strongroom_live_dropped_total", "reason" => close_reason.metric_label())
            .increment(1);
    }
}
