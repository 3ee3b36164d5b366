//! Login throttling (OWASP Authentication): every verification of a secret passes through it.
//!
//! For a guessable secret, the throttle is asked before any hashing or look-up, and receives the
//! outcome afterwards.
//!
//! ```text
//! let attempt = Attempt { kind: CredentialKind::Totp, account: Some(username), from };
//! let guard = throttling.begin_attempt(&attempt).await?;
//! if wrong { throttling.failed(guard).await?; return Err(…) }
//! throttling.succeeded(guard).await?;
//! ```
//!
//! Long random secrets are looked up first, which is one indexed read and no more expensive than
//! the throttle itself. A valid one succeeds whatever happens behind the same address. Only unknown
//! ones are charged or throttled.
//!
//! ```text
//! let found = throttling.lookup_or_penalize(kind, from, self.load_code(&hash)).await?;
//! ```
//!
//! Failures are counted per network and, for guessable secrets, per account and source: one count
//! for all unknown sources, and one for each source that the account has signed in from. Unknown
//! sources delay each other, never the owner. `policy` holds the limits.

mod attempts;
mod concurrency;
mod credential_kind;
pub(crate) mod event_dedup;
pub mod lockouts;
mod policy;
mod reporting;

use concurrency::{AttemptSlots, SlotGuard};
use policy::Denial;

pub use credential_kind::CredentialKind;
pub(crate) use policy::{MAX_FAILURES, retry_at};

use crate::{
    Origin, Username,
    store::{AttemptSource, Bucket, NetworkPrefix, ThrottleQuery, ThrottleState},
    throttle::event_dedup::RateLimitedEvents,
};

/// One attempt with one secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) kind: CredentialKind,
    /// The claimed account; `None` if it is not known or the name is invalid. A name without an
    /// account counts like any other, so that the response does not reveal which accounts exist.
    pub(crate) account: Option<&'a Username>,
    pub(crate) from: &'a Origin,
}

/// Permission for one attempt, which is returned with the outcome. A guard that is dropped charges
/// nothing: drop it only if the caller has learned nothing, such as on a database error.
#[derive(Debug)]
#[must_use = "return it with the outcome: `failed` or `succeeded`"]
pub(crate) struct AttemptGuard {
    kind: CredentialKind,
    /// The buckets that a failure is charged to, networks first.
    buckets: Vec<Bucket>,
    /// The account's bucket, if it has failures.
    indebted: Option<Bucket>,
    /// The claimed account.
    claimed_account: Option<Username>,
    from: Origin,
    slot: Option<SlotGuard>,
}

/// The in-memory state of this node.
pub(crate) struct Throttle {
    slots: AttemptSlots,
    /// For sources that the account knows: a flood of others holds none of these.
    familiar_slots: AttemptSlots,
    reported: RateLimitedEvents<Bucket>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self {
            slots: AttemptSlots::new(),
            familiar_slots: AttemptSlots::new(),
            reported: RateLimitedEvents::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn set_acquire_timeout(&mut self, timeout: std::time::Duration) {
        self.slots.set_acquire_timeout(timeout);
        self.familiar_slots.set_acquire_timeout(timeout);
    }
}

/// The bucket that denies an attempt.
pub(crate) struct Blocked(Bucket, Denial);

impl AttemptGuard {
    /// Sets the account for the audit, if it is known only after the look-up.
    pub(crate) fn for_account(self, account: Option<&Username>) -> Self {
        Self {
            claimed_account: account.cloned(),
            ..self
        }
    }
}

impl AttemptGuard {
    /// A known device has a bucket of its own. A known network still shares the network's limit, or
    /// the answer would reveal known accounts.
    fn new(attempt: &Attempt<'_>, found: &ThrottleState) -> Self {
        let (mut buckets, mut indebted) = (network_buckets(attempt), None);
        if let Some(username) = throttled_account(attempt) {
            let sources = attempt.from.sources();
            let source = sources
                .into_iter()
                .find(|source| found.known_sources.contains(source))
                .unwrap_or(AttemptSource::Unknown);
            let account = account_bucket(attempt, username, &source);
            indebted = found
                .counts
                .iter()
                .any(|count| count.bucket == account)
                .then(|| account.clone());
            if matches!(source, AttemptSource::Device(_)) {
                buckets.clear();
            }
            buckets.push(account);
        }
        let (kind, claimed_account, from) =
            (attempt.kind, attempt.account.cloned(), attempt.from.clone());
        Self {
            kind,
            buckets,
            indebted,
            claimed_account,
            from,
            slot: None,
        }
    }

    /// Whether the account has signed in from this device or network before.
    pub(crate) fn is_familiar(&self) -> bool {
        self.account().is_some_and(is_familiar)
    }

    fn account(&self) -> Option<&Bucket> {
        self.buckets
            .iter()
            .find(|bucket| bucket.username().is_some())
    }
}

fn is_familiar(bucket: &Bucket) -> bool {
    matches!(
        bucket,
        Bucket::Account {
            source: AttemptSource::Device(_) | AttemptSource::NetworkPrefix(_),
            ..
        }
    )
}

/// All relevant buckets in one query.
fn throttle_query(attempt: &Attempt<'_>) -> ThrottleQuery {
    let mut buckets = network_buckets(attempt);
    let Some(username) = throttled_account(attempt) else {
        return ThrottleQuery {
            buckets,
            sources: None,
        };
    };
    let sources = attempt.from.sources();
    buckets.extend(
        sources
            .iter()
            .chain([&AttemptSource::Unknown])
            .map(|source| account_bucket(attempt, username, source)),
    );
    ThrottleQuery {
        buckets,
        sources: Some((username.clone(), sources)),
    }
}

fn throttled_account<'a>(attempt: &Attempt<'a>) -> Option<&'a Username> {
    attempt.account.filter(|_| attempt.kind.is_guessable())
}

fn network_buckets(attempt: &Attempt<'_>) -> Vec<Bucket> {
    let class = attempt.kind.rate_class();
    NetworkPrefix::all_of(attempt.from.address)
        .map(|network| Bucket::Network(class, network))
        .collect()
}

fn account_bucket(attempt: &Attempt<'_>, username: &Username, source: &AttemptSource) -> Bucket {
    Bucket::Account {
        username: username.clone(),
        kind: attempt.kind,
        source: source.clone(),
    }
}
