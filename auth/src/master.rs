//! Another master key in place of the present one: everything that is sealed is sealed anew in one transaction, which
//! also says whose turn it is. So at every moment one of the two keys opens all of it, and the other one nothing.

use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    AuthError, AuthStore, Chance, Clock,
    key::{MasterKey, Purpose},
    key_ring::{KeyRing, KeyRules, bound_to},
    pepper::Pepper,
    seal::Sealer,
    store::{KeyPurpose, Reseal, Resealed, StoredKey},
};

/// Puts `new` in the place of `old`. Passwords stay as they are: what keyed them is kept, sealed under `new`, until no
/// password is under it any more.
///
/// # Errors
/// [`AuthError::AnotherMasterKey`] where `old` is not in force; [`AuthError::SameMasterKey`].
pub async fn replace<S: AuthStore>(
    store: &S,
    (old, new): (&MasterKey, &MasterKey),
    clock: &Clock,
    chance: &Chance,
) -> Result<Resealed, AuthError> {
    let names = (old.name()?, new.name()?);
    if names.0 == names.1 {
        return Err(AuthError::SameMasterKey);
    }
    let ring = KeyRing::new(
        store.clone(),
        old,
        KeyRules::default(),
        clock.clone(),
        chance.clone(),
    )?;
    ring.load().await?;
    ring.take_hold().await?;
    let handover = Handover::new(old, new, chance)?;
    let (at, pepper) = (clock.now(), handover.retire(&Pepper::of(old)?, clock)?);
    let reseal = Reseal {
        old: names.0,
        new: names.1,
        pepper,
        handover,
        at,
    };
    store
        .reseal(reseal)
        .await?
        .ok_or(AuthError::AnotherMasterKey)
}

/// Opens with the old master key and seals with the new one, each thing for its purpose.
#[derive(Debug)]
pub struct Handover {
    ring: Pair,
    peppers: Pair,
    factors: Pair,
    chance: Chance,
}

struct Pair {
    old: Sealer,
    new: Sealer,
}

impl Handover {
    fn new(old: &MasterKey, new: &MasterKey, chance: &Chance) -> Result<Self, AuthError> {
        let pair = |purpose| {
            Ok::<_, AuthError>(Pair {
                old: Sealer::new(old, purpose)?,
                new: Sealer::new(new, purpose)?,
            })
        };
        Ok(Self {
            ring: pair(Purpose::Ring)?,
            peppers: pair(Purpose::RetiredPeppers)?,
            factors: pair(Purpose::Factors)?,
            chance: chance.clone(),
        })
    }

    /// A stored key, sealed anew; `None` if it does not open.
    #[must_use]
    pub fn key(&self, key: &StoredKey) -> Option<SecretString> {
        let pair = match key.purpose {
            KeyPurpose::AccessTokens => &self.ring,
            KeyPurpose::Peppers => &self.peppers,
        };
        pair.anew(
            key.sealed.expose_secret(),
            &bound_to(key.purpose, &key.kid),
            &self.chance,
        )
    }

    /// The body of an authenticator app, sealed anew; `None` if it does not open.
    #[must_use]
    pub fn app(&self, id: &str, body: &str) -> Option<SecretString> {
        self.factors.anew(body, id, &self.chance)
    }

    fn retire(&self, pepper: &Pepper, clock: &Clock) -> Result<StoredKey, AuthError> {
        let purpose = KeyPurpose::Peppers;
        let sealed = self
            .peppers
            .new
            .seal(
                pepper.secret(),
                &bound_to(purpose, pepper.id()),
                &self.chance,
            )?
            .into();
        let (kid, at) = (pepper.id().to_owned(), clock.now());
        Ok(StoredKey {
            kid,
            purpose,
            algorithm: "HMAC-SHA-256".to_owned(),
            sealed,
            made_at: at,
            retired_at: Some(at),
        })
    }
}

impl Pair {
    fn anew(&self, sealed: &str, bound_to: &str, chance: &Chance) -> Option<SecretString> {
        let opened = self.old.open(sealed, bound_to).ok()?;
        self.new
            .seal(opened.expose_secret(), bound_to, chance)
            .ok()
            .map(Into::into)
    }
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pair(…)")
    }
}
