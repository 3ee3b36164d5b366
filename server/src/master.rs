//! The master key of an installation: where it comes from, and how another one takes its place.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use auth::{
    AuthError, Clock, SecureRandom,
    keys::{
        master::{KeyFile, MasterKey},
        ring::{KeyRing, OldKey},
    },
    store::{KeyPurpose, KeyStore as _, Resealed},
};
use secrecy::ExposeSecret as _;

use crate::{
    config::Config,
    hold::Hold,
    serve::{make_private, open_store},
    state::Store,
};

/// What the settings or the key's own file say. Two are to choose from where the key was being replaced and the program
/// was cut off.
pub(crate) struct Masters {
    /// `None` where its own file is not there.
    key: Option<MasterKey>,
    successor: Option<MasterKey>,
    file: KeyFile,
}

/// What is to be done where the key is not there that the database is sealed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It has to come back: from a backup.
    ForNow,
    /// Another one takes its place, and what was sealed is lost.
    ForGood,
}

impl Masters {
    /// Before the database is opened: a bad key makes none.
    pub(crate) fn of(config: &Config) -> anyhow::Result<Self> {
        make_private(&config.data.join("keys"))?;
        let file = own_file(config);
        if let Some(key) = &config.secret_key {
            return Ok(Self {
                key: Some(MasterKey::parse(key.expose_secret())?),
                successor: None,
                file,
            });
        }
        Ok(Self {
            key: file.load()?,
            successor: file.pending()?,
            file,
        })
    }

    /// The database says which one. It is made where nothing is sealed yet.
    pub(crate) async fn in_force(self, store: &Store, lost: Lost) -> anyhow::Result<MasterKey> {
        match (self.successor, self.key) {
            (Some(new), _) if is_in_force(&new, store).await? => Ok(new),
            (_, Some(key)) => Ok(key),
            (_, None) if lost == Lost::ForNow && is_sealed(store).await? => bail!(
                "{} is not there, and what the database keeps secret is sealed under it: put it back from a backup. \
                 (Where it is lost for good, `strongroom key rotate --end-tokens` makes another one. Every password and \
                 every authenticator app is lost with it then, so hand out links with `strongroom user reset NAME`.)",
                self.file.path().display()
            ),
            (_, None) => Ok(self.file.load_or_create(&SecureRandom::system())?),
        }
    }
}

/// Finishes or undoes a replacement that was cut off. For whoever holds the data folder: anybody else would take the
/// new key away from under it.
pub(crate) async fn settle(config: &Config, store: &Store, _: &Hold) -> anyhow::Result<()> {
    if config.secret_key.is_some() {
        return Ok(());
    }
    let file = own_file(config);
    let Some(old) = file.load()? else {
        return Ok(());
    };
    match file.pending()? {
        Some(new) if is_in_force(&new, store).await? => {
            let kept = file.commit_pending(&old.id()?)?;
            tracing::warn!(old = %kept.display(), "the master key was replaced, and its file has the new one now");
        }
        // Nothing came of it, if the old one is in force. It may be what is left of a key otherwise.
        Some(_) if store.master_id().await?.is_some() && !is_in_force(&old, store).await? => bail!(
            "The database is sealed under another master key than the ones in {} and beside it: put back what was there.",
            file.path().display()
        ),
        _ => file.discard_pending()?,
    }
    Ok(())
}

fn own_file(config: &Config) -> KeyFile {
    KeyFile::at(config.data.join("keys/master.key"))
}

async fn is_in_force(key: &MasterKey, store: &Store) -> anyhow::Result<bool> {
    Ok(store.master_id().await? == Some(key.id()?))
}

/// Whether anything is sealed, under whatever key.
async fn is_sealed(store: &Store) -> anyhow::Result<bool> {
    Ok(store.master_id().await?.is_some()
        || !store.keys(KeyPurpose::AccessTokens).await?.is_empty())
}

/// What [`replace`] did.
#[derive(Debug)]
pub struct Replaced {
    pub resealed: Resealed,
    /// The key that signs access tokens from now on.
    pub kid: String,
    pub then: Then,
}

/// What is left to do.
#[derive(Debug)]
pub enum Then {
    /// The next start finds the new key; the old one is kept here, for backups that were made before.
    Start { old: PathBuf },
    /// The next start is to be given this key.
    Give { new: PathBuf },
}

/// Another master key in place of the present one, while nobody serves from this data folder. Where the key comes from
/// the settings, the new one is in `new`, or is made there.
///
/// # Errors
/// A sentence for the operator; the old key is in force then, or it says that the new one is.
pub async fn replace(
    config: &Config,
    new: Option<&Path>,
    tokens: OldKey,
    clock: Clock,
) -> anyhow::Result<Replaced> {
    let hold = Hold::of(&config.data)
        .context("The master key is replaced while no server runs: stop it first")?;
    let store = open_store(config).await?;
    settle(config, &store, &hold).await?;
    let old = Masters::of(config)?.in_force(&store, Lost::ForNow).await?;
    let chance = SecureRandom::system();
    let (key, then) = match (&config.secret_key, new) {
        (None, None) => (own_file(config).create_pending(&chance)?, None),
        (Some(_), Some(path)) => (
            KeyFile::at(path).load_or_create(&chance)?,
            Some(Then::Give {
                new: path.to_owned(),
            }),
        ),
        (None, Some(_)) => bail!(
            "The key is in a file of Strongroom's own, and so is the next one: leave --new-key-file out. (To name it \
             yourself from now on, set SECRET_KEY_FILE to a copy of keys/master.key first.)"
        ),
        (Some(_), None) => bail!(
            "The key comes from SECRET_KEY or SECRET_KEY_FILE, so say with --new-key-file where the new one is: it is \
             made there, if there is no such file."
        ),
    };
    let resealed = match auth::keys::rotation::rotate_master_key(
        &store,
        (&old, &key),
        &clock,
        &chance,
    )
    .await
    {
        Err(AuthError::MasterKeyMismatch) if is_in_force(&key, &store).await? => bail!(
            "The new key is in force already: give the server what is in that file as SECRET_KEY or SECRET_KEY_FILE."
        ),
        resealed => resealed?,
    };
    let then = match then {
        Some(then) => then,
        None => Then::Start {
            old: own_file(config).commit_pending(&old.id()?)?,
        },
    };
    let kid = KeyRing::new(store, &key, config.keys, clock, chance)?
        .rotate(tokens)
        .await?;
    Ok(Replaced {
        resealed,
        kid,
        then,
    })
}
