//! The pool of cores and memory.

use argon2::{Algorithm, Argon2, Version, password_hash::PasswordHasher as _};

use super::*;
use crate::error::ThrottleError;

#[tokio::test]
async fn hasher_without_free_core_returns_busy() {
    let mut hasher = hasher();
    hasher.cores = CoreQueue::new(0);
    hasher.queue_timeout = Duration::from_millis(5);
    let answer = hasher.verify_or_dummy(&password("x"), None).await;
    assert!(
        matches!(answer, Err(AuthError::Throttle(ThrottleError::HasherBusy { retry_after })) if retry_after == QUEUE_TIMEOUT)
    );
}

#[tokio::test]
async fn cancelled_hash_keeps_its_core_until_finished() {
    let mut hasher = hasher();
    hasher.cores = CoreQueue::new(1);
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (started, mut is_started) = tokio::sync::mpsc::unbounded_channel();
    let pool = hasher.clone();
    let work = move || started.send(()).is_ok() && released.recv().is_ok();
    let request = tokio::spawn(async move { pool.run_on_pool(work).await });
    is_started.recv().await.unwrap();
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    assert_eq!(hasher.cores.free(), 0);
    release.send(()).unwrap();
    hasher.queue_timeout = Duration::from_mins(1);
    hasher.verify_or_dummy(&password("x"), None).await.unwrap();
}

#[tokio::test]
async fn hash_memory_is_reused_and_freed_when_idle() {
    let hasher = hasher();
    let memory = hasher.argon2.pool.clone();
    assert_eq!(memory.retained(), 0);
    for _ in 0..3 {
        hasher.verify_or_dummy(&password("x"), None).await.unwrap();
        assert_eq!(memory.retained(), 1);
    }
    let returns = memory.generation();
    hasher.verify_or_dummy(&password("x"), None).await.unwrap();
    memory.free_if_idle(returns);
    assert_eq!(memory.retained(), 1, "it was used after that generation");
    memory.free_if_idle(memory.generation());
    assert_eq!(memory.retained(), 0);
}

#[test]
fn reused_hash_memory_does_not_change_results() {
    let argon = Argon2Hasher::new(MIN_COST).unwrap();
    let theirs = Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        argon2::Params::new(19 * 1024, 2, 1, None).unwrap(),
    );
    for (n, secret) in ["one", "two", "two", "three"].iter().enumerate() {
        let salt = [u8::try_from(n).unwrap(); 16];
        let phc = argon.hash(secret.as_bytes(), &salt).unwrap();
        assert_eq!(
            phc,
            theirs
                .hash_password_with_salt(secret.as_bytes(), &salt)
                .unwrap()
                .to_string()
        );
        assert!(argon.matches(secret.as_bytes(), &phc) && !argon.matches(b"four", &phc));
    }
    // More, less and the same memory as the current cost, with one pool.
    for (memory_kib, lanes) in [(32 * 1024, 1), (64, 4), (19 * 1024, 1)] {
        let params = argon2::Params::new(memory_kib, 2, lanes, None).unwrap();
        let other = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let phc = other
            .hash_password_with_salt(b"imported", &[9; 16])
            .unwrap()
            .to_string();
        assert!(
            argon.matches(b"imported", &phc) && !argon.matches(b"exported", &phc),
            "{phc}"
        );
        assert!(argon.pool.retained() <= 1);
    }
}
