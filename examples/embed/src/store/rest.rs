//! The other traits: keys and failures are stored, everything else is absent.

use auth::{
    Actor, Username,
    audit::NewAuditEntry,
    store::{
        AuditStore, Bucket, Charge, EmailLinkStore, FactorStore, FailureCount, GroupStore,
        IdentityStore, InvitationStore, KeyPurpose, KeyStore, LockoutQuery, OneTimeTokenStore,
        PurgeCutoffs, ResetStore, StoreResult, StoredKey, ThrottleQuery, ThrottleState,
        ThrottleStore, ThrottleTarget,
    },
    throttle::CredentialKind,
};
use jiff::Timestamp;

use super::{MemoryStore, unsupported};

impl EmailLinkStore for MemoryStore {}
impl FactorStore for MemoryStore {}
impl GroupStore for MemoryStore {}
impl IdentityStore for MemoryStore {}
impl InvitationStore for MemoryStore {}
impl ResetStore for MemoryStore {}
impl OneTimeTokenStore for MemoryStore {}

/// A real service stores this.
impl AuditStore for MemoryStore {
    async fn record(&self, _: NewAuditEntry) -> StoreResult<()> {
        Ok(())
    }
}

impl KeyStore for MemoryStore {
    async fn keys(&self, purpose: KeyPurpose) -> StoreResult<Vec<StoredKey>> {
        Ok(self
            .tables()
            .keys
            .iter()
            .rev()
            .filter(|key| key.purpose == purpose)
            .cloned()
            .collect())
    }

    async fn replace_key(&self, new: StoredKey, old: Option<&str>) -> StoreResult<bool> {
        let keys = &mut self.tables().keys;
        let active = keys.iter_mut().find(|key| key.retired_at.is_none());
        if active.as_ref().map(|key| key.kid.as_str()) != old {
            return Ok(false);
        }
        if let Some(active) = active {
            active.retired_at = Some(new.created_at);
        }
        keys.push(new);
        Ok(true)
    }

    async fn purge_keys(&self, before: Timestamp) -> StoreResult<u64> {
        let keys = &mut self.tables().keys;
        let had = keys.len();
        keys.retain(|key| key.retired_at.is_none_or(|at| before <= at));
        Ok((had - keys.len()) as u64)
    }
}

impl ThrottleStore for MemoryStore {
    async fn throttles(&self, query: ThrottleQuery) -> StoreResult<ThrottleState> {
        let tables = self.tables();
        let counts = query
            .buckets
            .iter()
            .filter_map(|bucket| tables.failure_counts.get(bucket).cloned())
            .collect();
        Ok(ThrottleState {
            counts,
            known_sources: Vec::new(),
        })
    }

    async fn record_failures(
        &self,
        charges: Vec<Charge>,
        at: Timestamp,
    ) -> StoreResult<Vec<FailureCount>> {
        let tallies = &mut self.tables().failure_counts;
        let charge = |charge: Charge| {
            let fresh = FailureCount {
                bucket: charge.bucket.clone(),
                failures: 0,
                last_at: at,
                tat: at,
            };
            let tally = tallies.entry(charge.bucket).or_insert(fresh);
            tally.failures += 1;
            tally.last_at = at;
            tally.tat = (tally.tat.max(at) + charge.cost).min(at + charge.max);
            tally.clone()
        };
        Ok(charges.into_iter().map(charge).collect())
    }

    async fn reset_count(&self, bucket: Bucket) -> StoreResult<()> {
        self.tables().failure_counts.remove(&bucket);
        Ok(())
    }

    async fn reset_counts(&self, _: &Username, _: CredentialKind) -> StoreResult<()> {
        Ok(())
    }

    async fn lockouts(&self, _: LockoutQuery) -> StoreResult<Vec<FailureCount>> {
        Err(unsupported())
    }

    async fn lift(&self, _: ThrottleTarget, _: Actor, _: Timestamp) -> StoreResult<u64> {
        Err(unsupported())
    }

    async fn purge_throttles(&self, what: PurgeCutoffs) -> StoreResult<u64> {
        let tallies = &mut self.tables().failure_counts;
        let had = tallies.len();
        tallies.retain(|_, tally| what.tat_before <= tally.tat);
        Ok((had - tallies.len()) as u64)
    }
}
