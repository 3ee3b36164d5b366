//! The bounded pool that turns passwords into hashes: as many at once as there are cores, never on an async worker,
//! and nobody waits longer than 2 s. What is a good password is not decided here.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use tokio::sync::Semaphore;

use crate::{
    AuthError, Chance, Password, PasswordHash,
    auth::HashingCost,
    pepper::{self, Peppers},
};

/// The least that we hash with (OWASP's floor for Argon2id).
const FLOOR: HashingCost = HashingCost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
/// How long a sign-in waits for a core.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    peppers: Peppers,
    chance: Chance,
    /// Costs what a real one costs, and fits no password: its output is random.
    dummy: PasswordHash,
    cores: Arc<Semaphore>,
    patience: Duration,
    begun: Arc<AtomicU64>,
}

impl Hasher {
    /// # Errors
    /// [`AuthError::Internal`] for a cost below the floor, or one that Argon2 cannot have.
    pub(crate) fn new(cost: HashingCost, peppers: Peppers, chance: Chance) -> Result<Self, AuthError> {
        if cost.memory_kib < FLOOR.memory_kib || cost.passes < FLOOR.passes || cost.lanes < FLOOR.lanes {
            return Err(AuthError::Internal("password hashing needs at least 19 MiB, 2 passes and 1 lane"));
        }
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
            .map_err(|_| AuthError::Internal("Argon2 cannot be run at this cost"))?;
        let dummy = format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            cost.memory_kib,
            cost.passes,
            cost.lanes,
            BASE64.encode(chance.bytes::<16>()),
            BASE64.encode(chance.bytes::<32>()),
        );
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            chance,
            dummy: PasswordHash::stored(&peppers.current().mark(&dummy)),
            peppers,
            cores: Arc::new(Semaphore::new(cores)),
            patience: PATIENCE,
            begun: Arc::default(),
        })
    }

    /// # Errors
    /// [`AuthError::Busy`] where no core came free in time.
    pub(crate) async fn hash(&self, password: &Arc<Password>) -> Result<PasswordHash, AuthError> {
        let (argon2, salt) = (self.argon2.clone(), self.chance.bytes::<16>());
        let pepper = self.peppers.current();
        let seasoned = pepper.season(password);
        self.run(move || argon2.hash_password_with_salt(&seasoned, &salt))
            .await?
            .map(|hash| PasswordHash::stored(&pepper.mark(&hash.to_string())))
            .map_err(|_| AuthError::Internal("hashing a password failed"))
    }

    /// Whether `password` is the one behind `hash`. `None`, for somebody who is not there, costs the same.
    ///
    /// # Errors
    /// As [`hash`](Self::hash).
    pub(crate) async fn verify(
        &self,
        password: &Arc<Password>,
        hash: Option<&PasswordHash>,
    ) -> Result<bool, AuthError> {
        let (argon2, peppers, password) = (self.argon2.clone(), self.peppers.clone(), Arc::clone(password));
        let (hash, dummy) = (hash.unwrap_or(&self.dummy).clone(), self.dummy.clone());
        self.run(move || {
            // A hash under a key that is not here fits nothing, and takes as long as one that is.
            let known = pepper::marked(hash.as_str()).is_none_or(|(id, _)| peppers.named(id).is_some());
            if !known {
                tracing::error!("a password is under a pepper that is not here: was the master key replaced?");
            }
            fits(&argon2, &peppers, &password, if known { &hash } else { &dummy })
        })
        .await
    }

    /// Whether the next sign-in should replace it: without pepper or under an older one, bcrypt, or Argon2id with less
    /// than we hash with now.
    pub(crate) fn is_outdated(&self, hash: &PasswordHash) -> bool {
        let current = |id: &str| self.peppers.current().is_called(id);
        let Some((_, phc)) = pepper::marked(hash.as_str()).filter(|(id, _)| current(id)) else { return true };
        let Ok(parsed) = phc::PasswordHash::new(phc) else { return true };
        let Ok(params) = Params::try_from(&parsed) else { return true };
        let now = self.argon2.params();
        params.m_cost() < now.m_cost() || params.t_cost() < now.t_cost() || parsed.hash.is_none_or(|h| h.len() < 32)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AuthError> {
        let asked = Instant::now();
        let core = tokio::time::timeout(self.patience, Arc::clone(&self.cores).acquire_owned()).await;
        metrics::histogram!("strongroom_hash_wait_seconds").record(asked.elapsed().as_secs_f64());
        let Ok(core) = core else { return Err(AuthError::Busy { retry_after: PATIENCE }) };
        let core = core.map_err(|_| AuthError::Internal("the hashing pool is closed"))?;
        self.begun.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = tokio::sync::oneshot::channel();
        // A thread of its own, because it does not get its priority back: making one is nothing beside the hash.
        let thread = std::thread::Builder::new().name("hashing".to_owned()).spawn(move || {
            // The core goes back when the work ends, not when the request is given up.
            let _core = core;
            step_back();
            drop(answer.send(work()));
        });
        thread.map_err(|_| AuthError::Busy { retry_after: PATIENCE })?;
        answered.await.map_err(|_| AuthError::Internal("hashing a password panicked"))
    }
}

/// Lets everything else go first: a flood of sign-ins fills idle cores and does not hold up requests. Linux counts
/// niceness by thread (sched(7)); elsewhere it would slow the whole process, so there nothing is done.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "hashing keeps the priority of everything else");
    }
}

fn fits(argon2: &Argon2<'_>, peppers: &Peppers, password: &Password, hash: &PasswordHash) -> bool {
    let keyed = pepper::marked(hash.as_str()).and_then(|(id, phc)| Some((peppers.named(id)?, phc)));
    match keyed {
        Some((pepper, phc)) => fits_argon2(argon2, &pepper.season(password), phc),
        None if hash.is_bcrypt() => fits_bcrypt(password, hash),
        // From before there was a pepper, or from elsewhere: made of the password as it was typed.
        None => fits_argon2(argon2, password.expose().as_bytes(), hash.as_str()),
    }
}

fn fits_argon2(argon2: &Argon2<'_>, secret: &[u8], phc: &str) -> bool {
    phc::PasswordHash::new(phc).is_ok_and(|hash| argon2.verify_password(secret, &hash).is_ok())
}

/// bcrypt reads 72 bytes and stops at a NUL; other programs let it ignore the rest without a word. A password of which
/// only the beginning would be looked at fits nothing here (ASVS 5.0 §6.2.8): its owner gets a new one by link. The
/// hash is made all the same, so that a refusal takes its time.
fn fits_bcrypt(password: &Password, hash: &PasswordHash) -> bool {
    let raw = password.expose();
    let fits = bcrypt::verify(raw, hash.as_str()).unwrap_or(false);
    fits && raw.len() <= 72 && !raw.contains('\0')
}

#[cfg(test)]
impl Hasher {
    /// How many hashes were begun so far.
    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
