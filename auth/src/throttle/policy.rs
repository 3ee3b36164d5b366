//! The throttling policy: pure functions from failure counts to decisions.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    clock,
    store::{Bucket, Charge, FailureCount, PurgeCutoffs, RateClass},
};

/// Consecutive failures without a wait, and so the concurrent attempts per account and source.
pub(crate) const FREE_FAILURES: u32 = 5;
/// NIST SP 800-63B-4 §3.2.2: at most this many consecutive failures with one authenticator.
pub(crate) const MAX_FAILURES: u32 = 100;
/// The first wait; each further failure doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const MAX_WAIT: Duration = Duration::from_mins(15);

/// Failures per network: a burst, then one every `window / burst`. A whole office may share an
/// address.
///
/// The algorithm is the generic cell rate algorithm (ITU-T I.371) with its theoretical arrival time
/// (TAT).
struct Quota {
    burst: u32,
    window: Duration,
}

const GUESS_QUOTA: Quota = Quota {
    burst: 100,
    window: Duration::from_mins(5),
};
/// Long random tokens are not guessable. Only wrong ones are limited: a client with an expired
/// token does not block its neighbours.
const TOKEN_QUOTA: Quota = Quota {
    burst: 150,
    window: Duration::from_mins(5),
};

/// Accounts that may be created from one network.
const ACCOUNT_QUOTA: Quota = Quota {
    burst: 100,
    window: Duration::from_mins(5),
};

impl Quota {
    fn of(bucket: &Bucket) -> Option<Self> {
        let Bucket::Network(tries, network) = bucket else {
            return None;
        };
        let Self { burst, window } = match tries {
            RateClass::Guesses => GUESS_QUOTA,
            RateClass::Tokens => TOKEN_QUOTA,
            RateClass::Accounts => ACCOUNT_QUOTA,
        };
        let shared_by = u32::try_from(network.shared_by()).unwrap_or(1);
        Some(Self {
            burst: burst * shared_by,
            window,
        })
    }

    fn cost(&self) -> Duration {
        self.window / self.burst
    }

    /// Failures of others block a network for three windows at most.
    fn cap(&self) -> Duration {
        self.window * 3
    }
}

/// How an attempt may proceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Concurrency {
    /// In parallel with others.
    Shared,
    /// One at a time: the previous attempt must be charged first.
    Exclusive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    RetryAfter(Duration),
    /// Waiting does not help from this source.
    LockedOut,
}

/// Evaluates one bucket; `None` is a bucket without failures.
pub(crate) fn evaluate(
    count: Option<&FailureCount>,
    now: Timestamp,
) -> Result<Concurrency, Denial> {
    let Some(count) = count else {
        return Ok(Concurrency::Shared);
    };
    let concurrency = if count.bucket.username().is_some() {
        Concurrency::Exclusive
    } else {
        Concurrency::Shared
    };
    let remaining = retry_at(count, now)
        .map(|at| clock::since(now, at))
        .ok_or(Denial::LockedOut)?;
    if remaining.is_zero() {
        Ok(concurrency)
    } else {
        Err(Denial::RetryAfter(remaining))
    }
}

/// When the bucket accepts attempts again, possibly in the past; `None` if waiting does not help.
///
/// A wait that began ahead of `now` comes from a clock that was set back. It is over, so that no wait
/// reaches further than its own length from now.
pub(crate) fn retry_at(count: &FailureCount, now: Timestamp) -> Option<Timestamp> {
    match Quota::of(&count.bucket) {
        Some(limit) if clock::is_ahead(clock::sub(count.tat, limit.cap()), now) => Some(now),
        Some(limit) => {
            let burst = limit.window.saturating_sub(limit.cost());
            let longest = limit.cap().saturating_sub(burst);
            Some(clock::sub(count.tat, burst).min(clock::add(now, longest)))
        }
        None if count.failures >= MAX_FAILURES => None,
        None if clock::is_ahead(count.last_at, now) => Some(now),
        None => Some(clock::add(
            count.last_at.min(now),
            wait_after(count.failures),
        )),
    }
}

fn wait_after(failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(FREE_FAILURES) else {
        return Duration::ZERO;
    };
    FIRST_WAIT
        .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
        .min(MAX_WAIT)
}

/// The charge of one failure.
pub(crate) fn charge(bucket: Bucket) -> Charge {
    let (cost, cap) = match Quota::of(&bucket) {
        Some(limit) => (limit.cost(), limit.cap()),
        None => (Duration::ZERO, Duration::ZERO),
    };
    Charge {
        bucket,
        cost,
        max: cap,
    }
}

/// Retention of names without an account after the last attempt. It is long, because waiting for
/// the deletion would reveal that the account does not exist.
const UNKNOWN_ACCOUNT_RETENTION: Duration = Duration::from_hours(90 * 24);
/// A source that the account has not signed in from for this long becomes unknown again.
const KNOWN_SOURCE_RETENTION: Duration = Duration::from_hours(180 * 24);

pub(crate) fn purge_cutoffs(now: Timestamp) -> PurgeCutoffs {
    let (unknown_account_before, known_source_before) = (
        clock::sub(now, UNKNOWN_ACCOUNT_RETENTION),
        clock::sub(now, KNOWN_SOURCE_RETENTION),
    );
    PurgeCutoffs {
        tat_before: now,
        unknown_account_before,
        known_source_before,
    }
}

/// The latest TAT at which a network may still try at `now`.
pub(crate) fn visible_until(now: Timestamp) -> Timestamp {
    clock::add(now, GUESS_QUOTA.window.saturating_sub(GUESS_QUOTA.cost()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Username, store::AttemptSource, throttle::CredentialKind};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn of_account(failures: u32) -> FailureCount {
        let username = Username::parse("ada").unwrap();
        let bucket = Bucket::Account {
            username,
            kind: CredentialKind::Password,
            source: AttemptSource::Unknown,
        };
        FailureCount {
            bucket,
            failures,
            last_at: at(0),
            tat: at(0),
        }
    }

    #[test]
    fn throttle_wait_doubles_from_fifth_failure_to_maximum() {
        let waits: Vec<u64> = (0..=17)
            .map(|failures| wait_after(failures).as_secs())
            .collect();
        assert_eq!(
            waits,
            [
                0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900
            ]
        );
        assert_eq!(wait_after(u32::MAX), MAX_WAIT);
        assert_eq!(
            evaluate(Some(&of_account(7)), at(1)),
            Err(Denial::RetryAfter(Duration::from_secs(3)))
        );
        assert_eq!(
            evaluate(Some(&of_account(7)), at(4)),
            Ok(Concurrency::Exclusive)
        );
    }

    #[test]
    fn wait_from_a_clock_set_back_is_over() {
        const DAYS_200: i64 = 200 * 24 * 60 * 60;
        let leeway = i64::try_from(clock::CLOCK_LEEWAY.as_secs()).unwrap();
        let evaluated = |second| evaluate(Some(&of_account(20)), at(second));
        assert_eq!(evaluated(-DAYS_200), Ok(Concurrency::Exclusive));
        assert_eq!(evaluated(-leeway - 1), Ok(Concurrency::Exclusive));
        // Within the leeway the wait goes on, and never exceeds its length.
        assert_eq!(evaluated(-leeway), Err(Denial::RetryAfter(MAX_WAIT)));
        assert_eq!(evaluated(0), Err(Denial::RetryAfter(MAX_WAIT)));
        assert_eq!(evaluated(900), Ok(Concurrency::Exclusive));
        let network = FailureCount {
            bucket: Bucket::Network(
                RateClass::Guesses,
                crate::store::NetworkPrefix::parse("192.0.2.1").unwrap(),
            ),
            tat: at(900),
            ..of_account(500)
        };
        let evaluated = |second| evaluate(Some(&network), at(second));
        assert_eq!(evaluated(-DAYS_200), Ok(Concurrency::Shared));
        assert_eq!(evaluated(-leeway - 1), Ok(Concurrency::Shared));
        assert!(matches!(evaluated(-leeway), Err(Denial::RetryAfter(_))));
        assert_eq!(
            evaluated(0),
            Err(Denial::RetryAfter(Duration::from_secs(603)))
        );
    }

    #[test]
    fn account_after_100_failures_is_locked_out() {
        assert_eq!(
            evaluate(Some(&of_account(99)), at(900)),
            Ok(Concurrency::Exclusive)
        );
        assert_eq!(
            evaluate(Some(&of_account(100)), at(1_000_000_000)),
            Err(Denial::LockedOut)
        );
    }

    #[test]
    fn throttled_100_guesses_take_over_20_hours() {
        let all: Duration = (0..MAX_FAILURES).map(wait_after).sum();
        assert!(all > Duration::from_hours(20), "{all:?}");
    }

    #[test]
    fn network_throttle_allows_burst_then_three_second_intervals() {
        let network = crate::store::NetworkPrefix::parse("192.0.2.1").unwrap();
        let with_tat = |seconds| FailureCount {
            bucket: Bucket::Network(RateClass::Guesses, network),
            tat: at(seconds),
            ..of_account(9)
        };
        assert_eq!(
            evaluate(Some(&with_tat(297)), at(0)),
            Ok(Concurrency::Shared)
        );
        assert_eq!(
            evaluate(Some(&with_tat(300)), at(0)),
            Err(Denial::RetryAfter(Duration::from_secs(3)))
        );
        assert_eq!(
            evaluate(Some(&with_tat(300)), at(3)),
            Ok(Concurrency::Shared)
        );
        assert_eq!(visible_until(at(0)), at(297));
    }
}
