//! The key ring: creates, rotates, lists and loads signing keys. Keys are sealed under the master
//! key, so that a copy of the database cannot sign. All processes on one database share the ring.

pub use crate::settings::KeyRules;

use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::{
    AuthError, AuthStore, Clock, SecureRandom, clock,
    error::KeyError,
    keys::{
        master::{MasterKey, Purpose},
        seal::Sealer,
        signing::{SigningAlgorithm, SigningKey, VerificationKeys, jwk_from_secret, new_jwk},
    },
    store::{KeyPurpose, StoredKey},
};

/// Upper bound on the lifetime of access tokens, independent of the settings.
pub const MAX_ACCESS_LIFETIME: Duration = Duration::from_hours(1);
/// A process that has not yet loaded a new key signs with the old one for at most this long.
pub(crate) const PROPAGATION_DELAY: Duration = Duration::from_mins(5);
const PURPOSE: KeyPurpose = KeyPurpose::AccessTokens;
/// Upper bound on retries after concurrent rotations by other processes; then the rotation fails.
const MAX_RETRIES: usize = 8;

/// The treatment of the previous signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKey {
    /// The key verifies until its tokens expire.
    KeepVerifying,
    /// The key and its access tokens become invalid at once. Sessions and refresh tokens remain
    /// valid.
    Revoke,
}

/// The ring; see the module documentation.
pub struct KeyRing<S> {
    store: S,
    sealer: Sealer,
    /// The id of the master key.
    master_id: String,
    /// Key id and key from before the key ring, derived from the master key. Its tokens remain
    /// valid across the upgrade.
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
            legacy_key,
            rules,
            clock,
            rng,
        })
    }

    /// # Errors
    /// `KeyError::MasterKeyMismatch` if another master key is active because this one was
    /// replaced.
    pub(crate) async fn ensure_master(&self) -> Result<(), AuthError> {
        match self.store.master_id().await? {
            Some(name) if name != self.master_id => {
                Err(AuthError::Key(KeyError::MasterKeyMismatch))
            }
            _ => Ok(()),
        }
    }

    /// As `ensure_master`. Also records the master key's id if none is recorded. Call it only after
    /// the ring was decrypted.
    pub(crate) async fn claim_master(&self) -> Result<(), AuthError> {
        if self.store.master_id().await?.is_none() {
            self.store
                .set_master_id(&self.master_id, None, self.clock.now())
                .await?;
        }
        self.ensure_master().await
    }

    /// Replaces the recorded id of a lost master key. Data sealed under that key stays unreadable.
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
            tracing::warn!(%lost, "the lost master key was abandoned");
        }
        self.ensure_master().await
    }

    /// Lists the keys, newest first.
    pub async fn list(&self) -> Result<Vec<StoredKey>, AuthError> {
        Ok(self.store.keys(PURPOSE).await?)
    }

    /// Creates a new signing key and returns its id. [`OldKey::Revoke`] does not decrypt the old
    /// key, so it also recovers from a lost master key.
    ///
    /// # Errors
    /// `KeyError::MasterKeyMismatch` for [`OldKey::KeepVerifying`] while another master key is
    /// active.
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
            "the key ring rotation was overtaken too often by other processes",
        ))
    }

    /// Rotates the signing key if it is due, and purges keys whose tokens have expired. Returns the
    /// id of a new key.
    pub(crate) async fn rotate_if_due(
        &self,
        trigger: RotationTrigger,
    ) -> Result<Option<String>, AuthError> {
        let (rows, now) = (self.list().await?, self.clock.now());
        self.store
            .purge_keys(clock::sub(now, MAX_ACCESS_LIFETIME + PROPAGATION_DELAY))
            .await?;
        // After that time no process uses a retired pepper for new passwords.
        self.store
            .purge_peppers(clock::sub(now, MAX_ACCESS_LIFETIME))
            .await?;
        let Some(signing) = rows.iter().find(|row| row.retired_at.is_none()) else {
            return Ok(None);
        };
        let old = !clock::is_within(signing.created_at, self.rules.rotate_after, now);
        let other = self
            .rules
            .algorithm
            .is_some_and(|algorithm| algorithm.as_str() != signing.algorithm);
        // Only at start: two processes with different settings would otherwise rotate in turn.
        if old || (other && trigger == RotationTrigger::Startup) {
            self.rotate(OldKey::KeepVerifying).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// # Errors
    /// `KeyError::MasterKeyMismatch` for a ring that is sealed under another master key.
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
            "the key ring has no signing key, or a duplicate key id",
        ))
    }

    /// Creates the first key, unless another process was faster.
    async fn initialize(&self) -> Result<(), AuthError> {
        // Without an administrator the installation is new, and no earlier token must remain valid.
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
        let sealed = self.sealer.seal(jwk, &PURPOSE.aad(&kid), &self.rng)?.into();
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
            .open(row.sealed.expose_secret(), &PURPOSE.aad(&row.kid));
        let jwk = opened.map_err(|_| AuthError::Key(KeyError::MasterKeyMismatch))?;
        let key = SigningKey::from_jwk(jwk.expose_secret()).filter(|key| key.kid == row.kid);
        key.ok_or(AuthError::Internal("a key of the ring is not a valid JWK"))
    }
}

/// The occasion of a rotation check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RotationTrigger {
    Startup,
    Periodic,
}

impl<S> std::fmt::Debug for KeyRing<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
