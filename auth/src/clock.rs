//! Time and randomness, passed in by the host. Deliberately absent elsewhere: direct access to the
//! system's clock or generator.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

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

/// Tolerated difference between two clocks, or of one clock that was set back. A stored time further
/// ahead than this comes from a clock that was wrong.
pub const CLOCK_LEEWAY: Duration = Duration::from_mins(5);

/// Whether `at` lies further ahead of `now` than clocks may differ.
pub(crate) fn is_ahead(at: Timestamp, now: Timestamp) -> bool {
    at > add(now, CLOCK_LEEWAY)
}

/// Whether `now` lies within `length` after `start`. A start that [`is_ahead`] counts as long past:
/// nothing reaches further than its own length after a clock was set back.
pub(crate) fn is_within(start: Timestamp, length: Duration, now: Timestamp) -> bool {
    !is_ahead(start, now) && now < add(start, length)
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

/// Time that never goes back, for rate limits in memory. A clock that is set back costs it
/// nothing: it goes on from there.
#[derive(Clone, Debug)]
pub struct SteadyClock {
    clock: Clock,
    state: Arc<Mutex<SteadyTime>>,
}

#[derive(Debug)]
struct SteadyTime {
    last: Timestamp,
    elapsed: Duration,
}

impl SteadyClock {
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let last = clock.now();
        let elapsed = Duration::ZERO;
        Self {
            clock,
            state: Arc::new(Mutex::new(SteadyTime { last, elapsed })),
        }
    }
}

impl governor::clock::Clock for SteadyClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        state.elapsed = state.elapsed.saturating_add(since(state.last, now));
        state.last = now;
        state.elapsed
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
