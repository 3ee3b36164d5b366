//! The key ring: made, rotated, listed and read. Keys are sealed under the master key, so that a copy of the database
//! signs nothing; every process on the same database uses the same ring.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::{
    AuthError, AuthStore, Clock, SecureRandom, clock,
    keys::{
        master::{MasterKey, Purpose},
        seal::Sealer,
        signing::{SigningAlgorithm, SigningKey, VerificationKeys, jwk_from_secret, new_jwk},
    },
    store::{KeyPurpose, StoredKey},
};

/// Access tokens live at most so long, whatever is set.
pub const MAX_ACCESS_LIFETIME: Duration = Duration::from_hours(1);
/// A process that has not yet heard of a new key signs with the old one for a moment.
const PROPAGATION_DELAY: Duration = Duration::from_mins(5);
const PURPOSE: KeyPurpose = KeyPurpose::AccessTokens;
/// Somebody else may be rotating at the same time; nobody does it this often.
const MAX_RETRIES: usize = 8;

/// What the host decides about keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyRules {
    /// `None` keeps to what signs now; HS256 for the first key.
    pub algorithm: Option<SigningAlgorithm>,
    /// A key signs for so long, then a new one does.
    pub rotate_after: Duration,
}

impl Default for KeyRules {
    fn default() -> Self {
        Self {
            algorithm: None,
            rotate_after: Duration::from_hours(90 * 24),
        }
    }
}

/// What becomes of the key that signed until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKey {
    /// It verifies until its tokens die.
    KeepVerifying,
    /// It is gone at once, and its tokens with it; sessions and refresh tokens live on.
    Revoke,
}

/// See the module.
pub struct KeyRing<S> {
    store: S,
    sealer: Sealer,
    /// The master key's name.
    master_id: String,
    /// What signed before there was a ring, parted from the master key: its tokens outlive the upgrade.
    legacy_key: (String, [u8; 32]),
    rules: KeyRules,
    clock: Clock,
    rng: SecureRandom,
}

impl<S: AuthStore> KeyRing<S> {
    /// # Errors
    /// [`AuthError::Internal`].
    pub fn new(
        store: S,
        master_key: &MasterKey,
        rules: KeyRules,
        clock: Clock,
        rng: SecureRandom,
    ) -> Result<Self, AuthError> {
        let name = hex::encode(&master_key.derive_key(Purpose::AccessTokenKeyId)?[..8]);
        let legacy_key = (name, master_key.derive_key(Purpose::AccessToken)?);
        let (sealer, master) = (Sealer::new(master_key, Purpose::KeyRing)?, master_key.id()?);
        Ok(Self {
            store,
            sealer,
            master_id: master,
            legacy_key: legacy_key,
            rules,
            clock,
            rng,
        })
    }

    /// # Errors
    /// [`AuthError::AnotherMasterKey`] where another one is in force: it was replaced.
    pub(crate) async fn ensure_master(&self) -> Result<(), AuthError> {
        match self.store.master_id().await? {
            Some(name) if name != self.master_id => Err(AuthError::MasterKeyMismatch),
            _ => Ok(()),
        }
    }

    /// As [`holds`](Self::holds), and says the master key's name where none has. For a ring that opened.
    pub(crate) async fn claim_master(&self) -> Result<(), AuthError> {
        if self.store.master_id().await?.is_none() {
            self.store
                .set_master_id(&self.master_id, None, self.clock.now())
                .await?;
        }
        self.ensure_master().await
    }

    /// A master key that was lost is given up: what is sealed under it stays shut.
    async fn abandon_lost_master(&self) -> Result<(), AuthError> {
        if let Some(lost) = self
            .store
            .master_id()
            .await?
            .filter(|name| *name != self.master_id)
            && self
                .store
                .set_master_id(&self.master_id, Some(&lost), self.clock.now())
                .await?
        {
            tracing::warn!(%lost, "the master key in force was given up");
        }
        self.ensure_master().await
    }

    /// Newest first.
    pub async fn list(&self) -> Result<Vec<StoredKey>, AuthError> {
        Ok(self.store.keys(PURPOSE).await?)
    }

    /// Lets a new key sign, and says its name. Where the old one ends it need not open: this is also the way out when
    /// the master key was lost.
    ///
    /// # Errors
    /// [`AuthError::AnotherMasterKey`] where the old one is to verify and another master key is in force.
    pub async fn rotate(&self, old: OldKey) -> Result<String, AuthError> {
        match old {
            OldKey::KeepVerifying => self.ensure_master().await?,
            OldKey::Revoke => self.abandon_lost_master().await?,
        }
        for _ in 0..MAX_RETRIES {
            let rows = self.list().await?;
            let signing = rows.iter().find(|row| row.retired_at.is_none());
            let now = signing.and_then(|row| SigningAlgorithm::parse(&row.algorithm));
            let algorithm = self
                .rules
                .algorithm
                .or(now)
                .unwrap_or(SigningAlgorithm::Hs256);
            let row = self.generate(algorithm)?;
            let kid = row.kid.clone();
            if self
                .store
                .replace_key(row, signing.map(|row| row.kid.as_str()))
                .await?
            {
                if old == OldKey::Revoke {
                    self.store.purge_keys(Timestamp::MAX).await?;
                }
                return Ok(kid);
            }
        }
        Err(AuthError::Internal(
            "the key ring is rotated by somebody else all the time",
        ))
    }

    /// Rotates when it is time, and forgets keys whose tokens are dead. `Some` new key's name.
    pub(crate) async fn rotate_if_due(
        &self,
        trigger: RotationTrigger,
    ) -> Result<Option<String>, AuthError> {
        let (rows, now) = (self.list().await?, self.clock.now());
        self.store
            .purge_keys(clock::sub(now, MAX_ACCESS_LIFETIME + PROPAGATION_DELAY))
            .await?;
        // By then no process uses one for new passwords any more.
        self.store
            .purge_peppers(clock::sub(now, MAX_ACCESS_LIFETIME))
            .await?;
        let Some(signing) = rows.iter().find(|row| row.retired_at.is_none()) else {
            return Ok(None);
        };
        let old = clock::add(signing.created_at, self.rules.rotate_after) <= now;
        let other = self
            .rules
            .algorithm
            .is_some_and(|algorithm| algorithm.as_str() != signing.algorithm);
        // Only on a start: two processes told different things must not take turns.
        if old || (other && trigger == RotationTrigger::Startup) {
            self.rotate(OldKey::KeepVerifying).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// # Errors
    /// [`AuthError::AnotherMasterKey`] for a ring that was sealed under another one.
    pub(crate) async fn load(&self) -> Result<VerificationKeys, AuthError> {
        let mut rows = self.list().await?;
        if rows.is_empty() {
            self.initialize().await?;
            rows = self.list().await?;
        }
        let retired_after = clock::sub(self.clock.now(), MAX_ACCESS_LIFETIME + PROPAGATION_DELAY);
        let (mut signing, mut retired) = (None, Vec::new());
        for row in rows {
            match row.retired_at {
                None => signing = Some(self.open(&row)?),
                Some(at) if retired_after <= at => retired.push(self.open(&row)?),
                Some(_) => {}
            }
        }
        let keys = signing.and_then(|signing| VerificationKeys::new(signing, retired));
        keys.ok_or(AuthError::Internal(
            "the key ring has no key that signs, or two of one name",
        ))
    }

    /// The first key, by whoever is first.
    async fn initialize(&self) -> Result<(), AuthError> {
        // Without an administrator nobody has got a token worth keeping.
        if self.store.has_administrator().await? {
            let (kid, secret) = &self.legacy_key;
            let jwk = jwk_from_secret(SigningAlgorithm::Hs256, kid, secret)?;
            let row = self.sealed_row(kid.clone(), SigningAlgorithm::Hs256, jwk.expose_secret())?;
            if self.store.replace_key(row, None).await? {
                self.rotate(OldKey::KeepVerifying).await?;
            }
            return Ok(());
        }
        let row = self.generate(self.rules.algorithm.unwrap_or(SigningAlgorithm::Hs256))?;
        self.store.replace_key(row, None).await?;
        Ok(())
    }

    fn generate(&self, algorithm: SigningAlgorithm) -> Result<StoredKey, AuthError> {
        let kid = hex::encode(self.rng.bytes::<8>());
        let jwk = new_jwk(algorithm, &kid, &self.rng)?;
        self.sealed_row(kid, algorithm, jwk.expose_secret())
    }

    fn sealed_row(
        &self,
        kid: String,
        algorithm: SigningAlgorithm,
        jwk: &[u8],
    ) -> Result<StoredKey, AuthError> {
        let sealed = self
            .sealer
            .seal(jwk, &aad(PURPOSE, &kid), &self.rng)?
            .into();
        let (algorithm, created_at) = (algorithm.as_str().to_owned(), self.clock.now());
        Ok(StoredKey {
            kid,
            purpose: PURPOSE,
            algorithm,
            sealed,
            created_at,
            retired_at: None,
        })
    }

    fn open(&self, row: &StoredKey) -> Result<SigningKey, AuthError> {
        let opened = self
            .sealer
            .open(row.sealed.expose_secret(), &aad(PURPOSE, &row.kid));
        let jwk = opened.map_err(|_| AuthError::MasterKeyMismatch)?;
        let key = SigningKey::from_jwk(jwk.expose_secret()).filter(|key| key.kid == row.kid);
        key.ok_or(AuthError::Internal("a key of the ring is no key"))
    }
}

/// When the ring is looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RotationTrigger {
    Startup,
    Periodic,
}

/// What a sealed key is bound to.
pub(crate) fn aad(purpose: KeyPurpose, kid: &str) -> String {
    format!("{}/{kid}", purpose.as_str())
}

impl<S> std::fmt::Debug for KeyRing<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
