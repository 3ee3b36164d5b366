//! Content of refused uploads is removed a day later. An upload with an `Idempotency-Key` is checked
//! after its content is stored, and so is the loser of a race.

#[cfg(test)]
mod tests;

use jiff::SignedDuration;

use super::core::VaultCore;
use crate::{
    BlobId, BlobStore, Realm, VaultError, VaultStore,
    blob::{Collected, Verdict},
};

/// As long as an `Idempotency-Key`.
const REFUSED_UPLOAD_RETENTION: SignedDuration = SignedDuration::from_hours(24);

impl<S: VaultStore, B: BlobStore> VaultCore<S, B> {
    pub(crate) async fn collect_refused_uploads(&self) -> Result<u64, VaultError> {
        let before = self.clock.now() - REFUSED_UPLOAD_RETENTION;
        let mut removed = 0;
        for vault in self.store.vaults().await? {
            for id in self.blobs.unnamed(&vault.name, before).await? {
                removed += u64::from(self.collect(&vault, &id).await? == Collected::Removed);
            }
        }
        Ok(removed)
    }

    /// The suspicion begins before the row is looked up, so a row that is written meanwhile is
    /// either found or belongs to an upload that ends the suspicion.
    async fn collect(&self, vault: &Realm, id: &BlobId) -> Result<Collected, VaultError> {
        let Some(suspicion) = self.blobs.suspect(&vault.name, id) else {
            return Ok(Collected::Spared);
        };
        let verdict = if self.store.has_blob(&vault.id, id).await? {
            Verdict::Named
        } else {
            Verdict::Unnamed
        };
        self.blobs.collect(suspicion, verdict).await
    }
}
