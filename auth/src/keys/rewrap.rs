//! Reseals stored values under a new master key (envelope encryption: rewrap).

use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    AuthError, Clock, SecureRandom,
    keys::{
        master::{MasterKey, Purpose},
        seal::Sealer,
        stored_key::{KeyPurpose, StoredKey},
    },
    password::pepper::Pepper,
};

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
    pub(super) fn new(
        old: &MasterKey,
        new: &MasterKey,
        rng: &SecureRandom,
    ) -> Result<Self, AuthError> {
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
            &key.purpose.aad(&key.kid),
            &self.rng,
        )
    }

    /// Reseals the body of a TOTP factor; `None` if it cannot be decrypted.
    #[must_use]
    pub fn totp_secret(&self, id: &str, body: &str) -> Option<SecretString> {
        self.factors.reseal(body, id, &self.rng)
    }

    /// The pepper of the old master key, sealed under the new one.
    pub(super) fn retire_pepper(
        &self,
        pepper: &Pepper,
        clock: &Clock,
    ) -> Result<StoredKey, AuthError> {
        let purpose = KeyPurpose::Peppers;
        let sealed = self
            .peppers
            .new
            .seal(pepper.secret(), &purpose.aad(pepper.id()), &self.rng)?
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
