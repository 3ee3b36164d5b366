//! Administration of lockouts: list and lift them.

use jiff::Timestamp;

use crate::{
    Action, Admin, AuthError, AuthStore, Permit, Scope, Username,
    access::permit::{Administrator, GlobalTarget, Initiator, StepUp},
    error::AccountError,
    store::{AttemptSource, Bucket, NetworkPrefix, ThrottleTarget},
    throttle::{CredentialKind, retry_at},
};

/// Administrators list lockouts.
#[derive(Debug)]
pub struct ReadLockouts;
impl Action for ReadLockouts {
    const NAME: &'static str = "throttle.see";
    type Target = GlobalTarget;
    const REQUIRED_ROLE: Administrator = Administrator;
    const SCOPE: Scope = Scope::Administer;
}

/// Administrators lift lockouts, interactively: a client that lifts lockouts by itself would
/// disable the throttle.
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

/// Failures that cause or caused a wait.
#[derive(Clone, Debug)]
pub struct Lockout {
    pub subject: LockoutSubject,
    pub failures: u32,
    pub last_at: Timestamp,
    pub retry_at: RetryAt,
}

/// The subject of a lockout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockoutSubject {
    /// All sources in a network except known devices.
    Network(NetworkPrefix),
    /// Attempts with one credential kind of an account, from one source.
    Account {
        username: Username,
        kind: CredentialKind,
        from: LockoutSource,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockoutSource {
    /// All sources that the account has not signed in from.
    Unknown,
    Network(NetworkPrefix),
    /// A browser of the account.
    Device,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAt {
    /// The next attempt is accepted.
    Now,
    At(Timestamp),
    /// Waiting does not help. Another sign-in method or an administrator does.
    Never,
}

impl<S: AuthStore> Admin<'_, S> {
    /// Latest failure first, at most 1,000. Names without an account are omitted.
    pub async fn lockouts(self, _permit: &Permit<ReadLockouts>) -> Result<Vec<Lockout>, AuthError> {
        let counts = self.0.throttling().visible_lockouts().await?;
        let now = self.0.core.clock.now();
        let lockout = |count: crate::store::FailureCount| Lockout {
            failures: count.failures,
            last_at: count.last_at,
            retry_at: match retry_at(&count, now) {
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

    /// Lifts the lockouts of a network, or of an account with every credential kind and source.
    /// Returns the number of deleted counts.
    ///
    /// # Errors
    /// `AccountError::LockoutNotFound`.
    pub async fn lift(
        self,
        permit: &Permit<LiftLockouts>,
        target: ThrottleTarget,
    ) -> Result<u64, AuthError> {
        match self
            .0
            .core
            .store
            .lift(target, permit.actor().clone(), self.0.core.clock.now())
            .await?
        {
            0 => Err(AuthError::Account(AccountError::LockoutNotFound)),
            lifted => Ok(lifted),
        }
    }
}
