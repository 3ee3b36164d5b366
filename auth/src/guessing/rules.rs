//! How often somebody may be wrong. Pure: from counts to answers.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    clock,
    store::{Bucket, Charge, Forgettable, Tally, Tries},
};

/// Failures in a row that cost nothing, and so tries of one account from one place that may be under way at once.
pub(crate) const FREE: u32 = 5;
/// NIST SP 800-63B-4 §3.2.2: no more failures in a row than this, with one authenticator.
pub(crate) const MOST: u32 = 100;
/// The first wait; each further failure doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// Failures from one network: a burst, then one every `window / burst`. A whole office may share an address. This is
/// the generic cell rate algorithm (ITU-T I.371): one moment, before which all failures are paid off.
struct Limit {
    burst: u32,
    window: Duration,
}

const GUESSES: Limit = Limit {
    burst: 100,
    window: Duration::from_mins(5),
};
/// Nobody guesses these. Only wrong ones are refused: a program that goes on with a dead token keeps no neighbour out.
const TOKENS: Limit = Limit {
    burst: 150,
    window: Duration::from_mins(5),
};

/// Accounts that may be made from one network.
const ACCOUNTS: Limit = Limit {
    burst: 100,
    window: Duration::from_mins(5),
};

impl Limit {
    fn of(bucket: &Bucket) -> Option<Self> {
        let Bucket::Network(tries, network) = bucket else {
            return None;
        };
        let Self { burst, window } = match tries {
            Tries::Guesses => GUESSES,
            Tries::Tokens => TOKENS,
            Tries::Accounts => ACCOUNTS,
        };
        let customers = u32::try_from(network.customers()).unwrap_or(1);
        Some(Self {
            burst: burst * customers,
            window,
        })
    }

    fn cost(&self) -> Duration {
        self.window / self.burst
    }
}

/// How a try may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// Beside others.
    Free,
    /// Alone: the one before has to be charged first.
    Alone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Wait(Duration),
    /// For good, from there.
    Shut,
}

/// Of one bucket; `None` where nobody failed.
pub(crate) fn judge(tally: Option<&Tally>, now: Timestamp) -> Result<Pace, Refusal> {
    let Some(tally) = tally else {
        return Ok(Pace::Free);
    };
    let pace = if tally.bucket.username().is_some() {
        Pace::Alone
    } else {
        Pace::Free
    };
    let left = next_try(tally)
        .map(|at| clock::between(now, at))
        .ok_or(Refusal::Shut)?;
    if left.is_zero() {
        Ok(pace)
    } else {
        Err(Refusal::Wait(left))
    }
}

/// When a bucket is open again, maybe since long; `None` if waiting does not help.
pub(crate) fn next_try(tally: &Tally) -> Option<Timestamp> {
    match Limit::of(&tally.bucket) {
        Some(limit) => Some(clock::before(
            tally.paid_off_at,
            limit.window.saturating_sub(limit.cost()),
        )),
        None if tally.failures >= MOST => None,
        None => Some(clock::after(tally.last_at, wait_after(tally.failures))),
    }
}

fn wait_after(failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(FREE) else {
        return Duration::ZERO;
    };
    FIRST_WAIT
        .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
        .min(LONGEST_WAIT)
}

/// What one failure costs.
pub(crate) fn charge(bucket: Bucket) -> Charge {
    let (cost, most) = match Limit::of(&bucket) {
        // Bounded, so that nobody is kept out for longer than a few windows by what others do.
        Some(limit) => (limit.cost(), limit.window * 3),
        None => (Duration::ZERO, Duration::ZERO),
    };
    Charge { bucket, cost, most }
}

/// Names without an account are forgotten so long after the last try. Long, since whoever waits for it learns that
/// there is no such account.
const NOBODY: Duration = Duration::from_hours(90 * 24);
/// Places that an account has not signed in from for so long are strange again.
const UNSEEN: Duration = Duration::from_hours(180 * 24);

pub(crate) fn forgettable(now: Timestamp) -> Forgettable {
    let (nobody_since, unseen_since) = (clock::before(now, NOBODY), clock::before(now, UNSEEN));
    Forgettable {
        paid_off_by: now,
        nobody_since,
        unseen_since,
    }
}

/// The latest moment that a network may owe until and still try at `now`.
pub(crate) fn owing_at(now: Timestamp) -> Timestamp {
    clock::after(now, GUESSES.window.saturating_sub(GUESSES.cost()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Username, guessing::Secret, store::Place};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn of_account(failures: u32) -> Tally {
        let username = Username::parse("ada").unwrap();
        let bucket = Bucket::Account {
            username,
            secret: Secret::Password,
            place: Place::Strange,
        };
        Tally {
            bucket,
            failures,
            last_at: at(0),
            paid_off_at: at(0),
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
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
        assert_eq!(
            judge(Some(&of_account(7)), at(1)),
            Err(Refusal::Wait(Duration::from_secs(3)))
        );
        assert_eq!(judge(Some(&of_account(7)), at(4)), Ok(Pace::Alone));
    }

    #[test]
    fn account_after_100_failures_is_locked_out() {
        assert_eq!(judge(Some(&of_account(99)), at(900)), Ok(Pace::Alone));
        assert_eq!(
            judge(Some(&of_account(100)), at(1_000_000_000)),
            Err(Refusal::Shut)
        );
    }

    #[test]
    fn throttled_100_guesses_take_over_20_hours() {
        let all: Duration = (0..MOST).map(wait_after).sum();
        assert!(all > Duration::from_hours(20), "{all:?}");
    }

    #[test]
    fn network_throttle_allows_burst_then_three_second_intervals() {
        let network = crate::store::Network::parse("192.0.2.1").unwrap();
        let owing = |seconds| Tally {
            bucket: Bucket::Network(Tries::Guesses, network),
            paid_off_at: at(seconds),
            ..of_account(9)
        };
        assert_eq!(judge(Some(&owing(297)), at(0)), Ok(Pace::Free));
        assert_eq!(
            judge(Some(&owing(300)), at(0)),
            Err(Refusal::Wait(Duration::from_secs(3)))
        );
        assert_eq!(judge(Some(&owing(300)), at(3)), Ok(Pace::Free));
        assert_eq!(owing_at(at(0)), at(297));
    }
}
