//! Pepper: passwords are keyed before they are hashed, with HMAC-SHA-256 (RFC 2104) over the
//! password in NFKC. The key is not in the database, so a copy of the database does not allow
//! offline guessing. Each hash names its key, so that keys can be rotated. A sign-in upgrades the
//! hash to the current key.

use std::sync::Arc;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret as _, SecretBox};
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    AuthError, Password,
    keys::{
        master::{MasterKey, Purpose},
        seal::Sealer,
        stored_key::{KeyPurpose, StoredKey},
    },
};

/// Prefix of a peppered hash; the key id and the rest of the PHC string follow.
const TAG: &str = "$sr1$";

/// All peppers, the current one first.
#[derive(Clone)]
pub(crate) struct Peppers(Arc<[Pepper]>);

pub(crate) struct Pepper {
    id: String,
    key: hmac::Key,
    secret: SecretBox<[u8; 32]>,
}

impl Peppers {
    /// Order: configured peppers, then the one derived from `master_key`, then those of replaced
    /// master keys.
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

    /// `None` if the pepper cannot be decrypted. Passwords under it then match nothing; other
    /// accounts are unaffected.
    fn open_retired(row: &StoredKey, sealer: &Sealer) -> Option<Self> {
        let opened = sealer
            .open(
                row.sealed.expose_secret(),
                &KeyPurpose::Peppers.aad(&row.kid),
            )
            .ok();
        let secret = opened.and_then(|opened| <[u8; 32]>::try_from(opened.expose_secret()).ok());
        if secret.is_none() {
            tracing::error!(kid = %row.kid, "a retired pepper cannot be decrypted; passwords under it are lost");
        }
        Some(Self::new(row.kid.clone(), secret?))
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The key itself, to be sealed and stored when its master key is replaced.
    pub(crate) fn secret(&self) -> &[u8] {
        self.secret.expose_secret()
    }

    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.id == id
    }

    /// The keyed password, as input of the hash. NFKC makes equivalent input equal, such as a
    /// composed and a decomposed `é` (NIST SP 800-63B-4 §3.1.1.2).
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

    /// Prefixes `phc` with the tag and this key's id.
    pub(crate) fn tag(&self, phc: &str) -> String {
        format!("{TAG}{}{phc}", self.id)
    }
}

/// The prefix of hashes under the key with this id.
pub(crate) fn tag_prefix(id: &str) -> String {
    format!("{TAG}{id}$")
}

/// Splits a peppered hash into key id and PHC string.
pub(crate) fn parse_tag(hash: &str) -> Option<(&str, &str)> {
    let rest = hash.strip_prefix(TAG)?;
    Some(rest.split_at(rest.find('$')?))
}
