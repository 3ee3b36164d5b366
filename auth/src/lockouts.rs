//! Who is kept from trying, for administrators: to see, and to let them try again.

use jiff::Timestamp;

use crate::{
    Action, Auth, AuthError, AuthStore, Grant, Permit, Username,
    guessing::{Secret, next_try},
    permit::{Administrator, AskedBy, Everywhere, StepUp},
    store::{Bucket, Network, Place, Whose},
};

/// Administrators look at who guessed too often.
#[derive(Debug)]
pub struct SeeLockouts;
impl Action for SeeLockouts {
    const NAME: &'static str = "throttle.see";
    type Scope = Everywhere;
    const NEEDS: Administrator = Administrator;
    const GRANT: Grant = Grant::Administer;
}

/// Administrators let somebody try again. In person: a program that lifts what it sees would be no throttle at all.
#[derive(Debug)]
pub struct LiftLockouts;
impl Action for LiftLockouts {
    const NAME: &'static str = "throttle.lift";
    type Scope = Everywhere;
    const NEEDS: Administrator = Administrator;
    const GRANT: Grant = Grant::Administer;
    const STEP_UP: StepUp = StepUp::Always;
    const ASKED_BY: AskedBy = AskedBy::Person;
}

/// So many failures that somebody has to wait, or had to.
#[derive(Clone, Debug)]
pub struct Lockout {
    pub of: Kept,
    pub failures: u32,
    pub last_at: Timestamp,
    pub until: Until,
}

/// Who is kept from trying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Everybody in a network, but known devices.
    Network(Network),
    /// Whoever tries this of an account, from there.
    Account {
        username: Username,
        secret: Secret,
        from: KeptFrom,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptFrom {
    /// Wherever the account has not signed in before.
    Elsewhere,
    Network(Network),
    /// One of its browsers.
    Device,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The next try is taken.
    Now,
    Then(Timestamp),
    /// There is another way in, or somebody lifts it.
    Lifted,
}

impl<S: AuthStore> Auth<S> {
    /// Latest failure first, at most 1,000. Names that are nobody's are not in it.
    pub async fn lockouts(&self, _permit: &Permit<SeeLockouts>) -> Result<Vec<Lockout>, AuthError> {
        let tallies = self.noteworthy().await?;
        let now = self.0.clock.now();
        let lockout = |tally: crate::store::Tally| Lockout {
            failures: tally.failures,
            last_at: tally.last_at,
            until: match next_try(&tally) {
                None => Until::Lifted,
                Some(at) if at <= now => Until::Now,
                Some(at) => Until::Then(at),
            },
            of: match tally.bucket {
                Bucket::Network(_, network) => Kept::Network(network),
                Bucket::Account {
                    username,
                    secret,
                    place,
                } => {
                    let from = match place {
                        Place::Strange => KeptFrom::Elsewhere,
                        Place::Network(network) => KeptFrom::Network(network),
                        Place::Device(_) => KeptFrom::Device,
                    };
                    Kept::Account {
                        username,
                        secret,
                        from,
                    }
                }
            },
        };
        Ok(tallies.into_iter().map(lockout).collect())
    }

    /// Of an account: every kind of secret, from wherever. Answers how many counts were forgotten.
    ///
    /// # Errors
    /// [`AuthError::NoLockout`] where there was nothing to lift.
    pub async fn lift(
        &self,
        permit: &Permit<LiftLockouts>,
        whose: Whose,
    ) -> Result<u64, AuthError> {
        match self
            .0
            .store
            .lift(whose, permit.actor().clone(), self.0.clock.now())
            .await?
        {
            0 => Err(AuthError::NoLockout),
            lifted => Ok(lifted),
        }
    }
}
