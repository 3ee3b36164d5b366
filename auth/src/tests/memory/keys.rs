//! The key ring, in a list.

use jiff::Timestamp;

use super::Memory;
use crate::store::{Answer, KeyPurpose, KeyStore, StoredKey};

impl KeyStore for Memory {
    async fn keys(&self, purpose: KeyPurpose) -> Answer<Vec<StoredKey>> {
        Ok(self.ask()?.keys.iter().rev().filter(|key| key.purpose == purpose).cloned().collect())
    }

    async fn replace_key(&self, new: StoredKey, old: Option<&str>) -> Answer<bool> {
        let keys = &mut self.ask()?.keys;
        let signs = keys.iter_mut().find(|key| key.retired_at.is_none());
        if signs.as_ref().map(|key| key.kid.as_str()) != old {
            return Ok(false);
        }
        if let Some(signs) = signs {
            signs.retired_at = Some(new.made_at);
        }
        keys.push(new);
        Ok(true)
    }

    async fn forget_keys(&self, before: Timestamp) -> Answer<u64> {
        let keys = &mut self.ask()?.keys;
        let had = keys.len();
        keys.retain(|key| key.retired_at.is_none_or(|at| before <= at));
        Ok((had - keys.len()) as u64)
    }
}

impl Memory {
    pub(crate) fn forget_the_ring(&self) {
        self.tables().keys.clear();
    }

    /// As somebody who may write to the database would.
    pub(crate) fn swap_sealed_keys(&self) {
        let keys = &mut self.tables().keys;
        let (first, second) = (keys[0].sealed.clone(), keys[1].sealed.clone());
        (keys[0].sealed, keys[1].sealed) = (second, first);
    }
}
