//! The master key of an installation: where it comes from, and how it is replaced.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use auth::{
    AuthError, Clock, SecureRandom,
    error::KeyError,
    keys::{
        master::{KeyFile, MasterKey},
        ring::{KeyRing, OldKey},
    },
    store::{KeyPurpose, KeyStore as _, Resealed},
};
use secrecy::ExposeSecret as _;

use crate::{
    config::Config, data_folder::create_private_folder, installation::open_store,
    instance_lock::InstanceLock, state::Store,
};

/// The master key candidates from the settings or the key file. Two exist if a replacement was
/// interrupted.
pub(crate) struct MasterKeys {
    /// `None` if the key file does not exist.
    key: Option<MasterKey>,
    pending: Option<MasterKey>,
    file: KeyFile,
}

/// The action if the key that seals the database is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMissingKey {
    /// Fail: the operator must restore it from a backup.
    Fail,
    /// Create another key. All data sealed under the old one is lost.
    Replace,
}

impl MasterKeys {
    /// Runs before the database is opened, so that an invalid key creates no database.
    pub(crate) fn load(config: &Config) -> anyhow::Result<Self> {
        create_private_folder(&config.data.join("keys"))?;
        let file = managed_key_file(config);
        if let Some(key) = &config.secret_key {
            return Ok(Self {
                key: Some(MasterKey::parse(key.expose_secret())?),
                pending: None,
                file,
            });
        }
        Ok(Self {
            key: file.load()?,
            pending: file.pending()?,
            file,
        })
    }

    /// The key that the database is sealed under. Creates one if nothing is sealed yet.
    pub(crate) async fn active(
        self,
        store: &Store,
        on_missing: OnMissingKey,
    ) -> anyhow::Result<MasterKey> {
        match (self.pending, self.key) {
            (Some(new), _) if is_active(&new, store).await? => Ok(new),
            (_, Some(key)) => Ok(key),
            (_, None) if on_missing == OnMissingKey::Fail && has_sealed_data(store).await? => {
                bail!(
                    "{} is missing, and the secrets in the database are sealed under it. Restore it from a backup. \
                 (If it is lost for good, `strongroom key rotate --end-tokens` creates another one. Every password and \
                 every authenticator app is then lost too, so create reset links with `strongroom user reset NAME`.)",
                    self.file.path().display()
                )
            }
            (_, None) => Ok(self.file.load_or_create(&SecureRandom::system())?),
        }
    }
}

/// Completes or reverts an interrupted replacement. Requires the lock on the data folder: another
/// process could be in the middle of a replacement.
pub(crate) async fn finish_interrupted_rotation(
    config: &Config,
    store: &Store,
    _: &InstanceLock,
) -> anyhow::Result<()> {
    if config.secret_key.is_some() {
        return Ok(());
    }
    let file = managed_key_file(config);
    let Some(old) = file.load()? else {
        return Ok(());
    };
    match file.pending()? {
        Some(new) if is_active(&new, store).await? => {
            let old_key_file = file.commit_pending(&old.id()?)?;
            tracing::warn!(old = %old_key_file.display(), "completed an interrupted master key replacement");
        }
        // If the old key is active, the replacement never took effect. Otherwise the file may be
        // the only copy of a needed key.
        Some(_) if store.master_id().await?.is_some() && !is_active(&old, store).await? => bail!(
            "The database is sealed under a master key that is neither in {} nor beside it. Restore the key files from a backup.",
            file.path().display()
        ),
        _ => file.discard_pending()?,
    }
    Ok(())
}

fn managed_key_file(config: &Config) -> KeyFile {
    KeyFile::at(config.data.join("keys/master.key"))
}

async fn is_active(key: &MasterKey, store: &Store) -> anyhow::Result<bool> {
    Ok(store.master_id().await? == Some(key.id()?))
}

/// Whether anything is sealed, under any key.
async fn has_sealed_data(store: &Store) -> anyhow::Result<bool> {
    Ok(store.master_id().await?.is_some()
        || !store.keys(KeyPurpose::AccessTokens).await?.is_empty())
}

/// The result of [`rotate`].
#[derive(Debug)]
pub struct Rotated {
    pub resealed: Resealed,
    /// The id of the new signing key of access tokens.
    pub kid: String,
    pub next_step: NextStep,
}

/// The next step for the operator.
#[derive(Debug)]
pub enum NextStep {
    /// Start the server: it finds the new key. `old` is the old key, for backups made before.
    Restart { old: PathBuf },
    /// Give the server the key in `new`.
    UpdateSetting { new: PathBuf },
}

/// Replaces the master key while no server uses the data folder. If the key comes from the
/// settings, `new` is the file of the new key; it is created if it does not exist.
///
/// # Errors
/// A message for the operator. The old key stays active, unless the message says that the new one
/// is.
pub async fn rotate(
    config: &Config,
    new: Option<&Path>,
    tokens: OldKey,
    clock: Clock,
) -> anyhow::Result<Rotated> {
    let lock = InstanceLock::acquire(&config.data).context(
        "The master key can only be replaced while no server runs; stop the server first",
    )?;
    let store = open_store(config).await?;
    finish_interrupted_rotation(config, &store, &lock).await?;
    let old = MasterKeys::load(config)?
        .active(&store, OnMissingKey::Fail)
        .await?;
    let rng = SecureRandom::system();
    let (key, next_step) = match (&config.secret_key, new) {
        (None, None) => (managed_key_file(config).create_pending(&rng)?, None),
        (Some(_), Some(path)) => (
            KeyFile::at(path).load_or_create(&rng)?,
            Some(NextStep::UpdateSetting {
                new: path.to_owned(),
            }),
        ),
        (None, Some(_)) => bail!(
            "The key is in Strongroom's own file, and so is the new one: omit --new-key-file. (To name it \
             yourself from now on, set SECRET_KEY_FILE to a copy of keys/master.key first.)"
        ),
        (Some(_), None) => bail!(
            "The key comes from SECRET_KEY or SECRET_KEY_FILE, so name the file of the new one with --new-key-file; it is \
             created if it does not exist."
        ),
    };
    let resealed = match auth::keys::rotation::rotate_master_key(&store, (&old, &key), &clock, &rng)
        .await
    {
        Err(AuthError::Key(KeyError::MasterKeyMismatch)) if is_active(&key, &store).await? => {
            bail!(
                "The new key is already active: give the server the content of that file as SECRET_KEY or SECRET_KEY_FILE."
            )
        }
        resealed => resealed?,
    };
    let next_step = match next_step {
        Some(next_step) => next_step,
        None => NextStep::Restart {
            old: managed_key_file(config).commit_pending(&old.id()?)?,
        },
    };
    let kid = KeyRing::new(store, &key, config.keys, clock, rng)?
        .rotate(tokens)
        .await?;
    Ok(Rotated {
        resealed,
        kid,
        next_step,
    })
}
