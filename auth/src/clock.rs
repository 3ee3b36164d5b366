//! Time and chance, passed in. The only place that asks the system for either.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

/// `by` later, or the end of time.
pub(crate) fn add(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// `by` earlier, or the beginning of time.
pub(crate) fn sub(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// From `start` until `end`; nothing if that is the wrong way round.
pub(crate) fn since(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or_default()
}

/// Tells the time. Tests hand in their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the time comes from"
    )]
    pub fn system() -> Self {
        Self(Arc::new(Timestamp::now))
    }

    /// A clock that reads `tell`, for tests.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time, cut to whole microseconds: what both databases keep.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = (self.0)();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Makes random bytes fit for secrets. Tests may hand in a repeatable one.
#[derive(Clone)]
pub struct SecureRandom(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl SecureRandom {
    /// The operating system's generator, by way of aws-lc.
    ///
    /// # Panics
    /// If the operating system has no randomness to give: nothing can safely go on without.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(|bytes| {
            assert!(
                aws_lc_rs::rand::fill(bytes).is_ok(),
                "the system gave no randomness"
            );
        }))
    }

    /// A source that calls `fill`, for tests.
    pub fn from_fn(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }
}

impl fmt::Debug for SecureRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chance")
    }
}
