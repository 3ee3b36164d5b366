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

use crate::{AuthError, Chance, Password, PasswordHash, auth::HashingCost};

/// The least that we hash with (OWASP's floor for Argon2id).
const FLOOR: HashingCost = HashingCost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
/// How long a sign-in waits for a core.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
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
    pub(crate) fn new(cost: HashingCost, chance: Chance) -> Result<Self, AuthError> {
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
            dummy: PasswordHash::stored(&dummy),
            cores: Arc::new(Semaphore::new(cores)),
            patience: PATIENCE,
            begun: Arc::default(),
        })
    }

    /// # Errors
    /// [`AuthError::Busy`] where no core came free in time.
    pub(crate) async fn hash(&self, password: &Arc<Password>) -> Result<PasswordHash, AuthError> {
        let (argon2, password, salt) = (self.argon2.clone(), Arc::clone(password), self.chance.bytes::<16>());
        self.run(move || argon2.hash_password_with_salt(password.expose().as_bytes(), &salt))
            .await?
            .map(|hash| PasswordHash::stored(&hash.to_string()))
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
        let (argon2, password) = (self.argon2.clone(), Arc::clone(password));
        let hash = hash.unwrap_or(&self.dummy).clone();
        self.run(move || fits(&argon2, &password, &hash)).await
    }

    /// Whether the next sign-in should replace it: bcrypt, or Argon2id with less than we hash with now.
    pub(crate) fn is_outdated(&self, hash: &PasswordHash) -> bool {
        let Ok(parsed) = phc::PasswordHash::new(hash.as_str()) else { return true };
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

fn fits(argon2: &Argon2<'_>, password: &Password, hash: &PasswordHash) -> bool {
    if hash.is_bcrypt() { fits_bcrypt(password, hash) } else { fits_argon2(argon2, password, hash) }
}

fn fits_argon2(argon2: &Argon2<'_>, password: &Password, hash: &PasswordHash) -> bool {
    phc::PasswordHash::new(hash.as_str())
        .is_ok_and(|hash| argon2.verify_password(password.expose().as_bytes(), &hash).is_ok())
}

/// As passlib did, whose hashes these are: bcrypt reads 72 bytes and passlib let it ignore the rest, so a longer
/// password that worked there works here; what replaces the hash then counts every byte. Passlib refused NUL, where
/// C would have ended the password. The hash is made all the same, so that a refusal takes its time.
fn fits_bcrypt(password: &Password, hash: &PasswordHash) -> bool {
    let fits = bcrypt::verify(password.expose(), hash.as_str()).unwrap_or(false);
    fits && !password.expose().contains('\0')
}

#[cfg(test)]
impl Hasher {
    /// How many hashes were begun so far.
    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> Hasher {
        Hasher::new(FLOOR, Chance::system()).unwrap()
    }

    fn password(raw: &str) -> Arc<Password> {
        Arc::new(Password::new(raw.to_owned()))
    }

    fn bcrypt_of(raw: &[u8]) -> PasswordHash {
        PasswordHash::import(&bcrypt::hash(raw, 4).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let hasher = hasher();
        let hash = hasher.hash(&password("correct horse battery")).await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert!(hasher.verify(&password("correct horse battery"), Some(&hash)).await.unwrap());
        assert!(!hasher.verify(&password("correct horse batterz"), Some(&hash)).await.unwrap());
        assert!(!hasher.verify(&password("correct horse battery"), None).await.unwrap());
        assert!(!hasher.is_outdated(&hash));
    }

    #[tokio::test]
    async fn every_byte_of_a_long_password_counts_with_argon2() {
        let hasher = hasher();
        let long = "ab".repeat(500);
        let hash = hasher.hash(&password(&long)).await.unwrap();
        assert!(!hasher.verify(&password(&(long + "c")), Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn bcrypt_of_71_72_and_73_bytes_verifies_as_passlib_did() {
        let hasher = hasher();
        let of = |n| "0123456789".repeat(8)[..n].to_owned();
        for made in [71, 72, 73] {
            let hash = bcrypt_of(of(made).as_bytes());
            assert!(hasher.is_outdated(&hash));
            for shown in [71, 72, 73] {
                let fits = hasher.verify(&password(&of(shown)), Some(&hash)).await.unwrap();
                assert_eq!(fits, made.min(72) == shown.min(72), "made of {made} bytes, shown {shown}");
            }
        }
    }

    /// From the passlib documentation, not from our own bcrypt.
    #[tokio::test]
    async fn hashes_that_passlib_made_verify_under_every_prefix() {
        let hasher = hasher();
        let made = "$2a$12$NT0I31Sa7ihGEWpka9ASYeEFkhuTNeBQ2xfZskIiiJeyFXhRgS.Sy";
        for prefix in ["$2a$", "$2b$", "$2y$"] {
            let hash = PasswordHash::import(&made.replace("$2a$", prefix)).unwrap();
            assert!(hasher.verify(&password("password"), Some(&hash)).await.unwrap(), "{prefix}");
            assert!(!hasher.verify(&password("Password"), Some(&hash)).await.unwrap(), "{prefix}");
        }
    }

    #[tokio::test]
    async fn a_nul_never_fits_bcrypt() {
        let hasher = hasher();
        let hash = bcrypt_of(b"with\0nul");
        assert!(!hasher.verify(&password("with\0nul"), Some(&hash)).await.unwrap());
        assert!(!hasher.verify(&password("with"), Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn weaker_parameters_are_outdated() {
        let raised = Hasher::new(HashingCost { memory_kib: 20 * 1024, ..FLOOR }, Chance::system()).unwrap();
        let hash = hasher().hash(&password("correct horse battery")).await.unwrap();
        assert!(raised.is_outdated(&hash));
        assert!(raised.verify(&password("correct horse battery"), Some(&hash)).await.unwrap());
    }

    #[test]
    fn costs_below_the_floor_are_refused() {
        for cost in [
            HashingCost { memory_kib: 19 * 1024 - 1, ..FLOOR },
            HashingCost { passes: 1, ..FLOOR },
            HashingCost { lanes: 0, ..FLOOR },
        ] {
            assert!(Hasher::new(cost, Chance::system()).is_err(), "{cost:?}");
        }
    }

    #[tokio::test]
    async fn with_all_cores_taken_the_answer_is_busy() {
        let mut hasher = hasher();
        hasher.cores = Arc::new(Semaphore::new(0));
        hasher.patience = Duration::from_millis(5);
        let answer = hasher.verify(&password("x"), None).await;
        assert!(matches!(answer, Err(AuthError::Busy { retry_after }) if retry_after == PATIENCE));
    }

    #[tokio::test]
    async fn a_request_that_is_given_up_keeps_its_core_until_the_hash_is_done() {
        let mut hasher = hasher();
        hasher.cores = Arc::new(Semaphore::new(1));
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let (begin, mut arrived) = tokio::sync::mpsc::unbounded_channel();
        let pool = hasher.clone();
        let work = move || begin.send(()).is_ok() && gone.recv().is_ok();
        let request = tokio::spawn(async move { pool.run(work).await });
        arrived.recv().await.unwrap();
        request.abort();
        assert!(request.await.is_err());
        assert_eq!(hasher.cores.available_permits(), 0);
        go.send(()).unwrap();
        hasher.patience = Duration::from_mins(1);
        hasher.verify(&password("x"), None).await.unwrap();
    }
}
