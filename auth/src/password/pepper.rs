//! Passwords are keyed before they are hashed: HMAC-SHA-256 (RFC 2104) of the password in NFKC, under a key that is not
//! in the database. A copy of the database is nothing to guess against without the key. Each hash names its key, so
//! that keys can be replaced: whoever signs in takes the current one along.

use std::sync::Arc;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret as _, SecretBox};
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    AuthError, Password,
    keys::{
        master::{MasterKey, Purpose},
        ring::aad,
        seal::Sealer,
    },
    store::{KeyPurpose, StoredKey},
};

/// Stands before a hash that was keyed, with the key's id and the rest of the PHC string behind it.
const TAG: &str = "$sr1$";

/// The keys, the current one first.
#[derive(Clone)]
pub(crate) struct Peppers(Arc<[Pepper]>);

pub(crate) struct Pepper {
    id: String,
    key: hmac::Key,
    secret: SecretBox<[u8; 32]>,
}

impl Peppers {
    /// Parted from `keys`, unless other ones are given; those come first then, in their order. Last come those of
    /// master keys that were replaced.
    pub(crate) fn new(
        master_key: &MasterKey,
        given: &[MasterKey],
        retired: &[StoredKey],
    ) -> Result<Self, AuthError> {
        let sealer = Sealer::new(master_key, Purpose::RetiredPeppers)?;
        let configured = given.iter().chain([master_key]).map(Pepper::derive);
        let retired_peppers = retired
            .iter()
            .filter_map(|row| Pepper::open_retired(row, &sealer).map(Ok));
        configured
            .chain(retired_peppers)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(crate) fn current(&self) -> &Pepper {
        &self.0[0]
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Pepper> {
        self.0.iter().find(|pepper| pepper.id == id)
    }
}

impl Pepper {
    pub(crate) fn derive(master: &MasterKey) -> Result<Self, AuthError> {
        let id = hex::encode(&master.derive_key(Purpose::PepperId)?[..4]);
        Ok(Self::new(id, master.derive_key(Purpose::Pepper)?))
    }

    fn new(id: String, secret: [u8; 32]) -> Self {
        Self {
            id,
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            secret: SecretBox::new(Box::new(secret)),
        }
    }

    /// One that does not open is done without: passwords under it fit nothing, and everybody else still signs in.
    fn open_retired(row: &StoredKey, sealer: &Sealer) -> Option<Self> {
        let opened = sealer
            .open(
                row.sealed.expose_secret(),
                &aad(KeyPurpose::Peppers, &row.kid),
            )
            .ok();
        let secret = opened.and_then(|opened| <[u8; 32]>::try_from(opened.expose_secret()).ok());
        if secret.is_none() {
            tracing::error!(kid = %row.kid, "a retired pepper does not open: passwords under it are lost");
        }
        Some(Self::new(row.kid.clone(), secret?))
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// To be kept, sealed, beyond its master key.
    pub(crate) fn secret(&self) -> &[u8] {
        self.secret.expose_secret()
    }

    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.id == id
    }

    /// What is hashed in place of the password. One key on a keyboard may make one character or two that look the same
    /// (`é`): NFKC makes them one (NIST SP 800-63B-4 §3.1.1.2).
    pub(crate) fn apply(&self, password: &Password) -> [u8; 32] {
        let raw = password.expose();
        let tag = if raw.is_ascii() {
            hmac::sign(&self.key, raw.as_bytes())
        } else {
            let mut context = hmac::Context::with_key(&self.key);
            let mut buffer = [0; 4];
            raw.nfkc()
                .for_each(|c| context.update(c.encode_utf8(&mut buffer).as_bytes()));
            context.sign()
        };
        let mut peppered = [0; 32];
        peppered.copy_from_slice(tag.as_ref());
        peppered
    }

    /// `phc` with this key's name before it.
    pub(crate) fn tag(&self, phc: &str) -> String {
        format!("{TAG}{}{phc}", self.id)
    }
}

/// How the hashes begin that were keyed with the key of this id.
pub(crate) fn tag_prefix(id: &str) -> String {
    format!("{TAG}{id}$")
}

/// The key's id and the PHC string, of a hash that was keyed.
pub(crate) fn parse_tag(hash: &str) -> Option<(&str, &str)> {
    let rest = hash.strip_prefix(TAG)?;
    Some(rest.split_at(rest.find('$')?))
}
