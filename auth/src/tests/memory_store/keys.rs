//! The key ring, in a list.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::MemoryStore;
use crate::{
    FactorKind, PasswordHash,
    store::{KeyPurpose, KeyStore, OneTimeKind, Reseal, Resealed, StoreResult, StoredKey},
};

impl KeyStore for MemoryStore {
    async fn keys(&self, purpose: KeyPurpose) -> StoreResult<Vec<StoredKey>> {
        Ok(self
            .query()?
            .keys
            .iter()
            .rev()
            .filter(|key| key.purpose == purpose)
            .cloned()
            .collect())
    }

    async fn replace_key(&self, new: StoredKey, old: Option<&str>) -> StoreResult<bool> {
        let keys = &mut self.query()?.keys;
        let signs = keys
            .iter_mut()
            .find(|key| key.purpose == new.purpose && key.retired_at.is_none());
        if signs.as_ref().map(|key| key.kid.as_str()) != old {
            return Ok(false);
        }
        if let Some(signs) = signs {
            signs.retired_at = Some(new.created_at);
        }
        keys.push(new);
        Ok(true)
    }

    async fn purge_keys(&self, before: Timestamp) -> StoreResult<u64> {
        let keys = &mut self.query()?.keys;
        let had = keys.len();
        let token = |key: &StoredKey| key.purpose == KeyPurpose::AccessTokens;
        keys.retain(|key| !token(key) || key.retired_at.is_none_or(|at| before <= at));
        Ok((had - keys.len()) as u64)
    }

    async fn purge_peppers(&self, before: Timestamp) -> StoreResult<u64> {
        let mut tables = self.query()?;
        let hashes: Vec<_> = tables
            .accounts
            .values()
            .map(|(known, _)| known.password.clone())
            .collect();
        let named = |kid: &str| {
            let beginning = PasswordHash::prefix_for_pepper(kid);
            hashes
                .iter()
                .any(|hash| hash.as_str().starts_with(&beginning))
        };
        let had = tables.keys.len();
        let old = |key: &StoredKey| key.retired_at.is_some_and(|at| at < before);
        tables
            .keys
            .retain(|key| key.purpose != KeyPurpose::Peppers || !old(key) || named(&key.kid));
        Ok((had - tables.keys.len()) as u64)
    }

    async fn master_id(&self) -> StoreResult<Option<String>> {
        Ok(self.query()?.master.clone())
    }

    async fn set_master_id(
        &self,
        name: &str,
        old: Option<&str>,
        _: Timestamp,
    ) -> StoreResult<bool> {
        let master = &mut self.query()?.master;
        let fits = master.as_deref() == old;
        if fits {
            *master = Some(name.to_owned());
        }
        Ok(fits)
    }

    async fn reseal(&self, reseal: Reseal) -> StoreResult<Option<Resealed>> {
        let mut tables = self.query()?;
        if tables.master.as_deref() != Some(&reseal.old) {
            return Ok(None);
        }
        let mut done = Resealed::default();
        for key in &mut tables.keys {
            let sealed = reseal.rewrapper.rewrap_key(key);
            done.keys += u64::from(sealed.is_some());
            done.unreadable += u64::from(sealed.is_none());
            key.sealed = sealed.unwrap_or_else(|| key.sealed.clone());
        }
        for app in tables
            .factors
            .iter_mut()
            .filter(|factor| factor.kind == FactorKind::Totp)
        {
            let sealed = reseal.rewrapper.totp_secret(app.id.as_str(), &app.body);
            done.totp_secrets += u64::from(sealed.is_some());
            done.unreadable += u64::from(sealed.is_none());
            app.body = sealed.map_or_else(
                || app.body.clone(),
                |sealed| sealed.expose_secret().to_owned(),
            );
        }
        tables
            .one_time_tokens
            .retain(|token| !matches!(token.kind, OneTimeKind::Enrollment | OneTimeKind::Upstream));
        tables.keys.push(reseal.pepper);
        tables.master = Some(reseal.new);
        Ok(Some(done))
    }
}

impl MemoryStore {
    pub(crate) fn delete_key_ring(&self) {
        let mut tables = self.tables();
        tables.keys.clear();
        tables.master = None;
    }

    /// Swaps two sealed keys, as an attacker with write access to the database would.
    pub(crate) fn swap_sealed_keys(&self) {
        let keys = &mut self.tables().keys;
        let (first, second) = (keys[0].sealed.clone(), keys[1].sealed.clone());
        (keys[0].sealed, keys[1].sealed) = (second, first);
    }
}
