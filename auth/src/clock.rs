//! Time and randomness, passed in by the host. Deliberately absent elsewhere: direct access to the
//! system's clock or generator.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

/// Saturating addition.
pub(crate) fn add(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Saturating subtraction.
pub(crate) fn sub(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// The duration from `start` to `end`; zero if `end` is earlier.
pub(crate) fn since(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or_default()
}

/// A clock. Tests pass in their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the only access to the system clock"
    )]
    pub fn system() -> Self {
        Self(Arc::new(Timestamp::now))
    }

    /// A clock that calls `now`, for tests.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The current time in whole microseconds, the precision of both databases.
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

/// A source of cryptographically secure random bytes. Tests may pass in a deterministic one.
#[derive(Clone)]
pub struct SecureRandom(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl SecureRandom {
    /// The operating system's generator, through aws-lc.
    ///
    /// # Panics
    /// If the operating system provides no randomness. Continuing without it would be unsafe.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(|bytes| {
            assert!(
                aws_lc_rs::rand::fill(bytes).is_ok(),
                "the operating system provided no randomness"
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
        f.write_str("SecureRandom")
    }
}
