//! Bounded pool for password hashing: one hash per core, off the async workers, with a queue
//! timeout of 2 s. Deliberately absent: rules for acceptable passwords (`rules`).

mod argon2id;
mod block_pool;
mod core_queue;
mod profiles;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use argon2id::Argon2Hasher;
use core_queue::CoreQueue;
pub(crate) use core_queue::HashPriority;
use profiles::{HashProfile, HashProfiles};

use crate::{
    AuthError, Password, PasswordHash, SecureRandom,
    error::ThrottleError,
    password::pepper::{self, Peppers},
    settings::HashingCost,
};

/// Longest wait for a core; then the request fails with `ThrottleError::HasherBusy`.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(crate) struct Hasher {
    argon2: Argon2Hasher,
    peppers: Peppers,
    rng: SecureRandom,
    profiles: HashProfiles,
    cores: CoreQueue,
    priority: HashPriority,
    queue_timeout: Duration,
    started: Arc<AtomicU64>,
}

impl Hasher {
    /// # Errors
    /// [`AuthError::Internal`] for a cost below the minimum, or parameters that Argon2 rejects.
    pub(crate) fn new(
        cost: HashingCost,
        peppers: Peppers,
        rng: SecureRandom,
    ) -> Result<Self, AuthError> {
        let argon2 = Argon2Hasher::new(cost)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            profiles: HashProfiles::new(argon2.profile(), rng.clone()),
            argon2,
            rng,
            peppers,
            cores: CoreQueue::new(cores),
            priority: HashPriority::Familiar,
            queue_timeout: QUEUE_TIMEOUT,
            started: Arc::default(),
        })
    }

    /// The same pool, for hashes of this priority. Without it they are familiar.
    pub(crate) fn queued_as(&self, priority: HashPriority) -> Self {
        Self {
            priority,
            ..self.clone()
        }
    }

    /// # Errors
    /// `ThrottleError::HasherBusy` if no core was free in time.
    pub(crate) async fn hash(&self, password: &Arc<Password>) -> Result<PasswordHash, AuthError> {
        let (argon2, salt) = (self.argon2.clone(), self.rng.bytes::<16>());
        let pepper = self.peppers.current();
        let peppered = pepper.apply(password);
        self.started.fetch_add(1, Ordering::Relaxed);
        self.run_on_pool(move || argon2.hash(&peppered, &salt))
            .await?
            .map(|phc| PasswordHash::from_stored(&pepper.tag(&phc)))
            .map_err(|_| AuthError::Internal("password hashing failed"))
    }

    /// Verifies `password` against `hash`, for an account that is known to exist.
    ///
    /// # Errors
    /// As [`hash`](Self::hash).
    pub(crate) async fn verify(
        &self,
        password: &Arc<Password>,
        hash: &PasswordHash,
    ) -> Result<bool, AuthError> {
        let (pool, password, hash) = (self.clone(), Arc::clone(password), hash.clone());
        self.run_on_pool(move || pool.matches(&password, &hash))
            .await
    }

    /// As [`verify`](Self::verify), for an account that may not exist (`None`). On failure, also
    /// hashes against a dummy of every other profile, so that timing does not reveal the account.
    /// On success it returns at once.
    ///
    /// # Errors
    /// As [`hash`](Self::hash).
    pub(crate) async fn verify_or_dummy(
        &self,
        password: &Arc<Password>,
        hash: Option<&PasswordHash>,
    ) -> Result<bool, AuthError> {
        let (pool, password, hash) = (self.clone(), Arc::clone(password), hash.cloned());
        self.run_on_pool(move || {
            let hash = hash.filter(|hash| pool.has_pepper_for(hash));
            let is_match = hash
                .as_ref()
                .is_some_and(|hash| pool.matches(&password, hash));
            if !is_match {
                let verified = hash.as_ref().and_then(HashProfile::of);
                for dummy in pool.profiles.remaining_dummies(verified) {
                    pool.matches(&password, &dummy);
                }
                // For the next attempt: another process imported the hash.
                if let Some(hash) = &hash {
                    pool.profiles.observe(hash);
                }
            }
            is_match
        })
        .await
    }

    /// The hash profiles of active accounts.
    pub(crate) fn profiles(&self) -> &HashProfiles {
        &self.profiles
    }

    /// False if the hash names an unknown pepper, so that it matches nothing.
    fn has_pepper_for(&self, hash: &PasswordHash) -> bool {
        let known =
            pepper::parse_tag(hash.as_str()).is_none_or(|(id, _)| self.peppers.find(id).is_some());
        if !known {
            tracing::error!(
                "unknown pepper in a password hash; the master key may have been replaced"
            );
        }
        known
    }

    /// Whether the next sign-in should replace the hash: no pepper or an older one, bcrypt, or
    /// Argon2id below the current cost.
    pub(crate) fn needs_rehash(&self, hash: &PasswordHash) -> bool {
        let current = |id: &str| self.peppers.current().has_id(id);
        let Some((_, phc)) = pepper::parse_tag(hash.as_str()).filter(|(id, _)| current(id)) else {
            return true;
        };
        self.argon2.is_below_current(phc)
    }

    fn matches(&self, password: &Password, hash: &PasswordHash) -> bool {
        self.started.fetch_add(1, Ordering::Relaxed);
        match pepper::parse_tag(hash.as_str()) {
            Some((id, phc)) => self
                .peppers
                .find(id)
                .is_some_and(|pepper| self.argon2.matches(&pepper.apply(password), phc)),
            None if hash.is_bcrypt() => matches_bcrypt(password, hash),
            // Imported, or from before peppers: computed over the unmodified password.
            None => self
                .argon2
                .matches(password.expose().as_bytes(), hash.as_str()),
        }
    }

    /// Runs `work` on the pool, with one thread per core at low priority.
    ///
    /// # Errors
    /// `ThrottleError::HasherBusy` if no core was free in time.
    pub(crate) async fn run_on_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AuthError> {
        let queued_at = Instant::now();
        let core =
            tokio::time::timeout(self.queue_timeout, self.cores.acquire(self.priority)).await;
        metrics::histogram!("strongroom_hash_wait_seconds")
            .record(queued_at.elapsed().as_secs_f64());
        let Ok(core) = core else {
            return Err(AuthError::Throttle(ThrottleError::HasherBusy {
                retry_after: QUEUE_TIMEOUT,
            }));
        };
        let core = core.ok_or(AuthError::Internal("the hashing pool is closed"))?;
        let (answer, answered) = tokio::sync::oneshot::channel();
        let (pool, runtime) = (self.argon2.pool.clone(), tokio::runtime::Handle::current());
        // A new thread for each hash, because Linux does not let a thread raise its priority again.
        // Its cost is small compared to the hash.
        let thread = std::thread::Builder::new()
            .name("hashing".to_owned())
            .spawn(move || {
                // The core is released when the work ends, not when the request is dropped.
                let _core = core;
                lower_priority();
                drop(answer.send(work()));
                let generation = pool.generation();
                runtime.spawn(async move {
                    tokio::time::sleep(block_pool::IDLE_TIMEOUT).await;
                    pool.free_if_idle(generation);
                });
            });
        thread.map_err(|_| {
            AuthError::Throttle(ThrottleError::HasherBusy {
                retry_after: QUEUE_TIMEOUT,
            })
        })?;
        answered
            .await
            .map_err(|_| AuthError::Internal("the password hashing thread panicked"))
    }
}

/// Lowers the thread's priority, so that a flood of sign-ins does not delay other requests. Linux
/// applies niceness per thread (sched(7)). Elsewhere it would slow the whole process, so nothing is
/// done.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "could not lower the priority of a hashing thread");
    }
}

/// bcrypt reads 72 bytes, stops at a NUL and ignores the rest. A password that bcrypt would
/// truncate matches nothing here (ASVS 5.0 §6.2.8); its owner needs a reset link. The hash is
/// computed in any case, so that failures take equal time.
fn matches_bcrypt(password: &Password, hash: &PasswordHash) -> bool {
    let raw = password.expose();
    let is_match = bcrypt::verify(raw, hash.as_str()).unwrap_or(false);
    is_match && raw.len() <= 72 && !raw.contains('\0')
}

#[cfg(test)]
impl Hasher {
    pub(crate) fn set_queue_timeout(&mut self, timeout: Duration) {
        self.queue_timeout = timeout;
    }

    /// Number of hashes started so far, including those that timed out in the queue.
    pub(crate) fn started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
