//! Who is kept from trying, for administrators: to see, and to let them try again.

use jiff::Timestamp;

use crate::{
    Action, Auth, AuthError, AuthStore, Permit, Scope, Username,
    access::permit::{Administrator, GlobalTarget, Initiator, StepUp},
    store::{AttemptSource, Bucket, NetworkPrefix, ThrottleTarget},
    throttle::{CredentialKind, retry_at},
};

/// Administrators look at who guessed too often.
#[derive(Debug)]
pub struct ReadLockouts;
impl Action for ReadLockouts {
    const NAME: &'static str = "throttle.see";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
}

/// Administrators let somebody try again. In person: a program that lifts what it sees would be no throttle at all.
#[derive(Debug)]
pub struct LiftLockouts;
impl Action for LiftLockouts {
    const NAME: &'static str = "throttle.lift";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
    const STEP_UP: StepUp = StepUp::Always;
    const INITIATOR: Initiator = Initiator::User;
}

/// So many failures that somebody has to wait, or had to.
#[derive(Clone, Debug)]
pub struct Lockout {
    pub subject: LockoutSubject,
    pub failures: u32,
    pub last_at: Timestamp,
    pub retry_at: RetryAt,
}

/// Who is kept from trying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockoutSubject {
    /// Everybody in a network, but known devices.
    Network(NetworkPrefix),
    /// Whoever tries this of an account, from there.
    Account {
        username: Username,
        kind: CredentialKind,
        from: LockoutSource,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockoutSource {
    /// Wherever the account has not signed in before.
    Unknown,
    Network(NetworkPrefix),
    /// One of its browsers.
    Device,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAt {
    /// The next try is taken.
    Now,
    At(Timestamp),
    /// There is another way in, or somebody lifts it.
    Never,
}

impl<S: AuthStore> Auth<S> {
    /// Latest failure first, at most 1,000. Names that are nobody's are not in it.
    pub async fn lockouts(
        &self,
        _permit: &Permit<ReadLockouts>,
    ) -> Result<Vec<Lockout>, AuthError> {
        let counts = self.visible_lockouts().await?;
        let now = self.0.clock.now();
        let lockout = |count: crate::store::FailureCount| Lockout {
            failures: count.failures,
            last_at: count.last_at,
            retry_at: match retry_at(&count) {
                None => RetryAt::Never,
                Some(at) if at <= now => RetryAt::Now,
                Some(at) => RetryAt::At(at),
            },
            subject: match count.bucket {
                Bucket::Network(_, network) => LockoutSubject::Network(network),
                Bucket::Account {
                    username,
                    kind,
                    source,
                } => {
                    let from = match source {
                        AttemptSource::Unknown => LockoutSource::Unknown,
                        AttemptSource::NetworkPrefix(network) => LockoutSource::Network(network),
                        AttemptSource::Device(_) => LockoutSource::Device,
                    };
                    LockoutSubject::Account {
                        username,
                        kind,
                        from,
                    }
                }
            },
        };
        Ok(counts.into_iter().map(lockout).collect())
    }

    /// Of an account: every kind of secret, from wherever. Answers how many counts were forgotten.
    ///
    /// # Errors
    /// [`AuthError::NoLockout`] where there was nothing to lift.
    pub async fn lift(
        &self,
        permit: &Permit<LiftLockouts>,
        target: ThrottleTarget,
    ) -> Result<u64, AuthError> {
        match self
            .0
            .store
            .lift(target, permit.actor().clone(), self.0.clock.now())
            .await?
        {
            0 => Err(AuthError::LockoutNotFound),
            lifted => Ok(lifted),
        }
    }
}
