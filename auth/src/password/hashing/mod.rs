//! The bounded pool that turns passwords into hashes: as many at once as there are cores, never on an async worker,
//! and nobody waits longer than 2 s. What is a good password is not decided here.

mod argon2id;
mod block_pool;
mod profiles;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use crate::{
    AuthError, Password, PasswordHash, SecureRandom,
    password::pepper::{self, Peppers},
    service::HashingCost,
};
use argon2id::Argon2Hasher;
use profiles::{HashProfile, HashProfiles};

/// How long a sign-in waits for a core.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(crate) struct Hasher {
    argon2: Argon2Hasher,
    peppers: Peppers,
    rng: SecureRandom,
    profiles: HashProfiles,
    cores: Arc<Semaphore>,
    queue_timeout: Duration,
    started: Arc<AtomicU64>,
}

impl Hasher {
    /// # Errors
    /// [`AuthError::Internal`] for a cost below the floor, or one that Argon2 cannot have.
    pub(crate) fn new(
        cost: HashingCost,
        peppers: Peppers,
        rng: SecureRandom,
    ) -> Result<Self, AuthError> {
        let argon = Argon2Hasher::new(cost)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            profiles: HashProfiles::new(argon.profile(), rng.clone()),
            argon2: argon,
            rng,
            peppers,
            cores: Arc::new(Semaphore::new(cores)),
            queue_timeout: QUEUE_TIMEOUT,
            started: Arc::default(),
        })
    }

    /// # Errors
    /// [`AuthError::Busy`] where no core came free in time.
    pub(crate) async fn hash(&self, password: &Arc<Password>) -> Result<PasswordHash, AuthError> {
        let (argon, salt) = (self.argon2.clone(), self.rng.bytes::<16>());
        let pepper = self.peppers.current();
        let peppered = pepper.apply(password);
        self.started.fetch_add(1, Ordering::Relaxed);
        self.run_on_pool(move || argon.hash(&peppered, &salt))
            .await?
            .map(|phc| PasswordHash::from_stored(&pepper.tag(&phc)))
            .map_err(|_| AuthError::Internal("hashing a password failed"))
    }

    /// Whether `password` is the one behind `hash`, for somebody of whom it is known that they are there.
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

    /// As [`verify`](Self::verify), for somebody who may not be there at all (`None`). Whoever is refused has had one
    /// hash of each kind that there is made for it, whoever they are; whoever is right goes on at once.
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
                // For the next one: it was imported while we were not looking.
                if let Some(hash) = &hash {
                    pool.profiles.observe(hash);
                }
            }
            is_match
        })
        .await
    }

    /// What kinds of hashes there are.
    pub(crate) fn profiles(&self) -> &HashProfiles {
        &self.profiles
    }

    /// A hash under a key that is not here fits nothing.
    fn has_pepper_for(&self, hash: &PasswordHash) -> bool {
        let known =
            pepper::parse_tag(hash.as_str()).is_none_or(|(id, _)| self.peppers.find(id).is_some());
        if !known {
            tracing::error!(
                "a password is under a pepper that is not here: was the master key replaced?"
            );
        }
        known
    }

    /// Whether the next sign-in should replace it: without pepper or under an older one, bcrypt, or Argon2id with less
    /// than we hash with now.
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
            // From before there was a pepper, or from elsewhere: made of the password as it was typed.
            None => self
                .argon2
                .matches(password.expose().as_bytes(), hash.as_str()),
        }
    }

    /// On the pool: as many at once as there are cores, behind everything else.
    ///
    /// # Errors
    /// [`AuthError::Busy`] where no core came free in time.
    pub(crate) async fn run_on_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AuthError> {
        let queued_at = Instant::now();
        let core =
            tokio::time::timeout(self.queue_timeout, Arc::clone(&self.cores).acquire_owned()).await;
        metrics::histogram!("strongroom_hash_wait_seconds")
            .record(queued_at.elapsed().as_secs_f64());
        let Ok(core) = core else {
            return Err(AuthError::HasherBusy {
                retry_after: QUEUE_TIMEOUT,
            });
        };
        let core = core.map_err(|_| AuthError::Internal("the hashing pool is closed"))?;
        let (answer, answered) = tokio::sync::oneshot::channel();
        let (memory, runtime) = (self.argon2.pool.clone(), tokio::runtime::Handle::current());
        // A thread of its own, because it does not get its priority back: making one is nothing beside the hash.
        let thread = std::thread::Builder::new()
            .name("hashing".to_owned())
            .spawn(move || {
                // The core goes back when the work ends, not when the request is given up.
                let _core = core;
                lower_priority();
                drop(answer.send(work()));
                let generation = memory.generation();
                runtime.spawn(async move {
                    tokio::time::sleep(block_pool::IDLE_TIMEOUT).await;
                    memory.free_if_idle(generation);
                });
            });
        thread.map_err(|_| AuthError::HasherBusy {
            retry_after: QUEUE_TIMEOUT,
        })?;
        answered
            .await
            .map_err(|_| AuthError::Internal("hashing a password panicked"))
    }
}

/// Lets everything else go first: a flood of sign-ins fills idle cores and does not hold up requests. Linux counts
/// niceness by thread (sched(7)); elsewhere it would slow the whole process, so there nothing is done.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "hashing keeps the priority of everything else");
    }
}

/// bcrypt reads 72 bytes and stops at a NUL; other programs let it ignore the rest without a word. A password of which
/// only the beginning would be looked at fits nothing here (ASVS 5.0 §6.2.8): its owner gets a new one by link. The
/// hash is made all the same, so that a refusal takes its time.
fn matches_bcrypt(password: &Password, hash: &PasswordHash) -> bool {
    let raw = password.expose();
    let is_match = bcrypt::verify(raw, hash.as_str()).unwrap_or(false);
    is_match && raw.len() <= 72 && !raw.contains('\0')
}

#[cfg(test)]
impl Hasher {
    /// How many hashes were made so far, or given up while they waited.
    pub(crate) fn started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
