//! What else there is: keys and failures are kept, of everything else there is none.

use auth::{
    Actor, Username,
    audit::Record,
    guessing::Secret,
    store::{
        AddressStore, Answer, AuditStore, Bucket, Charge, FactorStore, Forgettable, Found,
        GroupStore, IdentityStore, Inquiry, InviteStore, KeyPurpose, KeyStore, Noteworthy,
        ResetStore, SlipStore, StoredKey, Tally, ThrottleStore, Whose,
    },
};
use jiff::Timestamp;

use super::{Memory, absent};

impl AddressStore for Memory {}
impl FactorStore for Memory {}
impl GroupStore for Memory {}
impl IdentityStore for Memory {}
impl InviteStore for Memory {}
impl ResetStore for Memory {}
impl SlipStore for Memory {}

/// A real service keeps this.
impl AuditStore for Memory {
    async fn record(&self, _: Record) -> Answer<()> {
        Ok(())
    }
}

impl KeyStore for Memory {
    async fn keys(&self, purpose: KeyPurpose) -> Answer<Vec<StoredKey>> {
        Ok(self
            .tables()
            .keys
            .iter()
            .rev()
            .filter(|key| key.purpose == purpose)
            .cloned()
            .collect())
    }

    async fn replace_key(&self, new: StoredKey, old: Option<&str>) -> Answer<bool> {
        let keys = &mut self.tables().keys;
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
        let keys = &mut self.tables().keys;
        let had = keys.len();
        keys.retain(|key| key.retired_at.is_none_or(|at| before <= at));
        Ok((had - keys.len()) as u64)
    }
}

impl ThrottleStore for Memory {
    async fn throttles(&self, inquiry: Inquiry) -> Answer<Found> {
        let tables = self.tables();
        let tallies = inquiry
            .buckets
            .iter()
            .filter_map(|bucket| tables.tallies.get(bucket).cloned())
            .collect();
        Ok(Found {
            tallies,
            known: Vec::new(),
        })
    }

    async fn charge(&self, charges: Vec<Charge>, at: Timestamp) -> Answer<Vec<Tally>> {
        let tallies = &mut self.tables().tallies;
        let charge = |charge: Charge| {
            let fresh = Tally {
                bucket: charge.bucket.clone(),
                failures: 0,
                last_at: at,
                paid_off_at: at,
            };
            let tally = tallies.entry(charge.bucket).or_insert(fresh);
            tally.failures += 1;
            tally.last_at = at;
            tally.paid_off_at = (tally.paid_off_at.max(at) + charge.cost).min(at + charge.most);
            tally.clone()
        };
        Ok(charges.into_iter().map(charge).collect())
    }

    async fn settle(&self, bucket: Bucket) -> Answer<()> {
        self.tables().tallies.remove(&bucket);
        Ok(())
    }

    async fn settle_all(&self, _: &Username, _: Secret) -> Answer<()> {
        Ok(())
    }

    async fn noteworthy(&self, _: Noteworthy) -> Answer<Vec<Tally>> {
        Err(absent())
    }

    async fn lift(&self, _: Whose, _: Actor, _: Timestamp) -> Answer<u64> {
        Err(absent())
    }

    async fn forget_throttles(&self, what: Forgettable) -> Answer<u64> {
        let tallies = &mut self.tables().tallies;
        let had = tallies.len();
        tallies.retain(|_, tally| what.paid_off_by <= tally.paid_off_at);
        Ok((had - tallies.len()) as u64)
    }
}
