//! Passwords are keyed before they are hashed: HMAC-SHA-256 (RFC 2104) of the password in NFKC, under a key that is not
//! in the database. A copy of the database is nothing to guess against without the key. Each hash names its key, so
//! that keys can be replaced: whoever signs in takes the current one along.

use std::sync::Arc;

use aws_lc_rs::hmac;
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    AuthError, Password,
    key::{MasterKey, Purpose},
};

/// Stands before a hash that was keyed, with the key's id and the rest of the PHC string behind it.
const MARK: &str = "$sr1$";

/// The keys, the current one first.
#[derive(Clone)]
pub(crate) struct Peppers(Arc<[Pepper]>);

pub(crate) struct Pepper {
    id: String,
    key: hmac::Key,
}

impl Peppers {
    /// Parted from `keys`, unless other ones are given; those come first then, in their order.
    pub(crate) fn new(keys: &MasterKey, given: &[MasterKey]) -> Result<Self, AuthError> {
        given.iter().chain([keys]).map(Pepper::of).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn current(&self) -> &Pepper {
        &self.0[0]
    }

    pub(crate) fn named(&self, id: &str) -> Option<&Pepper> {
        self.0.iter().find(|pepper| pepper.id == id)
    }
}

impl Pepper {
    fn of(master: &MasterKey) -> Result<Self, AuthError> {
        let id = hex::encode(&master.part(Purpose::PepperName)?[..4]);
        Ok(Self { id, key: hmac::Key::new(hmac::HMAC_SHA256, &master.part(Purpose::Pepper)?) })
    }

    pub(crate) fn is_called(&self, id: &str) -> bool {
        self.id == id
    }

    /// What is hashed in place of the password. One key on a keyboard may make one character or two that look the same
    /// (`é`): NFKC makes them one (NIST SP 800-63B-4 §3.1.1.2).
    pub(crate) fn season(&self, password: &Password) -> [u8; 32] {
        let raw = password.expose();
        let tag = if raw.is_ascii() {
            hmac::sign(&self.key, raw.as_bytes())
        } else {
            let mut whole = hmac::Context::with_key(&self.key);
            let mut buffer = [0; 4];
            raw.nfkc().for_each(|c| whole.update(c.encode_utf8(&mut buffer).as_bytes()));
            whole.sign()
        };
        let mut seasoned = [0; 32];
        seasoned.copy_from_slice(tag.as_ref());
        seasoned
    }

    /// `phc` with this key's name before it.
    pub(crate) fn mark(&self, phc: &str) -> String {
        format!("{MARK}{}{phc}", self.id)
    }
}

/// The key's id and the PHC string, of a hash that was keyed.
pub(crate) fn marked(hash: &str) -> Option<(&str, &str)> {
    let rest = hash.strip_prefix(MARK)?;
    Some(rest.split_at(rest.find('$')?))
}
