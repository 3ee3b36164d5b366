//! Master key rotation: one transaction reseals every sealed value and records the active key. So
//! at any time exactly one of the two keys opens everything.

use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    AuthError, AuthStore, Clock, SecureRandom,
    error::KeyError,
    keys::{
        master::{MasterKey, Purpose},
        ring::{KeyRing, KeyRules, aad},
        seal::Sealer,
    },
    password::pepper::Pepper,
    store::{KeyPurpose, Reseal, Resealed, StoredKey},
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

/// Reseals values from the old to the new master key, per purpose (envelope encryption: rewrap).
#[derive(Debug)]
pub struct Rewrapper {
    ring: SealerPair,
    peppers: SealerPair,
    factors: SealerPair,
    rng: SecureRandom,
}

struct SealerPair {
    old: Sealer,
    new: Sealer,
}

impl Rewrapper {
    fn new(old: &MasterKey, new: &MasterKey, rng: &SecureRandom) -> Result<Self, AuthError> {
        let pair = |purpose| {
            Ok::<_, AuthError>(SealerPair {
                old: Sealer::new(old, purpose)?,
                new: Sealer::new(new, purpose)?,
            })
        };
        Ok(Self {
            ring: pair(Purpose::KeyRing)?,
            peppers: pair(Purpose::RetiredPeppers)?,
            factors: pair(Purpose::Factors)?,
            rng: rng.clone(),
        })
    }

    /// Reseals a stored key; `None` if it cannot be decrypted.
    #[must_use]
    pub fn rewrap_key(&self, key: &StoredKey) -> Option<SecretString> {
        let pair = match key.purpose {
            KeyPurpose::AccessTokens => &self.ring,
            KeyPurpose::Peppers => &self.peppers,
        };
        pair.reseal(
            key.sealed.expose_secret(),
            &aad(key.purpose, &key.kid),
            &self.rng,
        )
    }

    /// Reseals the body of a TOTP factor; `None` if it cannot be decrypted.
    #[must_use]
    pub fn totp_secret(&self, id: &str, body: &str) -> Option<SecretString> {
        self.factors.reseal(body, id, &self.rng)
    }

    fn retire_pepper(&self, pepper: &Pepper, clock: &Clock) -> Result<StoredKey, AuthError> {
        let purpose = KeyPurpose::Peppers;
        let sealed = self
            .peppers
            .new
            .seal(pepper.secret(), &aad(purpose, pepper.id()), &self.rng)?
            .into();
        let (kid, at) = (pepper.id().to_owned(), clock.now());
        Ok(StoredKey {
            kid,
            purpose,
            algorithm: "HMAC-SHA-256".to_owned(),
            sealed,
            created_at: at,
            retired_at: Some(at),
        })
    }
}

impl SealerPair {
    fn reseal(&self, sealed: &str, aad: &str, rng: &SecureRandom) -> Option<SecretString> {
        let opened = self.old.open(sealed, aad).ok()?;
        self.new
            .seal(opened.expose_secret(), aad, rng)
            .ok()
            .map(Into::into)
    }
}

impl std::fmt::Debug for SealerPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealerPair(…)")
    }
}
