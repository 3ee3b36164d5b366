//! Master key rotation: one transaction reseals every sealed value and records the active key. So
//! at any time exactly one of the two keys opens everything.

use crate::{
    AuthError, AuthStore, Clock, SecureRandom,
    error::KeyError,
    keys::{master::MasterKey, rewrap::Rewrapper, ring::KeyRing},
    password::pepper::Pepper,
    settings::KeyRules,
    store::{Reseal, Resealed},
};

/// Replaces `old` by `new`. Passwords are unchanged: their pepper is sealed under `new` and kept
/// until no hash uses it.
///
/// # Errors
/// `KeyError::MasterKeyMismatch` if `old` is not active; `KeyError::MasterKeyUnchanged`.
pub async fn rotate_master_key<S: AuthStore>(
    store: &S,
    (old, new): (&MasterKey, &MasterKey),
    clock: &Clock,
    rng: &SecureRandom,
) -> Result<Resealed, AuthError> {
    let ids = (old.id()?, new.id()?);
    if ids.0 == ids.1 {
        return Err(AuthError::Key(KeyError::MasterKeyUnchanged));
    }
    let key_ring = KeyRing::new(
        store.clone(),
        old,
        KeyRules::default(),
        clock.clone(),
        rng.clone(),
    )?;
    key_ring.load().await?;
    key_ring.claim_master().await?;
    let rewrapper = Rewrapper::new(old, new, rng)?;
    let (at, pepper) = (
        clock.now(),
        rewrapper.retire_pepper(&Pepper::derive(old)?, clock)?,
    );
    let reseal = Reseal {
        old: ids.0,
        new: ids.1,
        pepper,
        rewrapper,
        at,
    };
    store
        .reseal(reseal)
        .await?
        .ok_or(AuthError::Key(KeyError::MasterKeyMismatch))
}
