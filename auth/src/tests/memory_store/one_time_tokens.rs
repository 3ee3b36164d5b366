//! Slips, in a list.

use jiff::Timestamp;

use super::MemoryStore;
use crate::{
    TokenHash, Username,
    store::{OneTimeKind, OneTimeToken, OneTimeTokenStore, StoreResult},
};

impl MemoryStore {
    pub(crate) fn only_one_time_token(&self) -> OneTimeToken {
        let slips = &self.tables().one_time_tokens;
        assert_eq!(slips.len(), 1);
        slips[0].clone()
    }
}

impl OneTimeTokenStore for MemoryStore {
    async fn insert_token(&self, slip: OneTimeToken) -> StoreResult<()> {
        self.query()?.one_time_tokens.push(slip);
        Ok(())
    }

    async fn insert_token_if_absent(&self, slip: OneTimeToken) -> StoreResult<bool> {
        let slips = &mut self.query()?.one_time_tokens;
        if slips
            .iter()
            .any(|kept| kept.kind == slip.kind && kept.hash == slip.hash)
        {
            return Ok(false);
        }
        slips.push(slip);
        Ok(true)
    }

    async fn find_token(
        &self,
        kind: OneTimeKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> StoreResult<Option<OneTimeToken>> {
        Ok(self
            .query()?
            .one_time_tokens
            .iter()
            .find(|slip| is_usable(slip, kind, hash, at))
            .cloned())
    }

    async fn consume_token(
        &self,
        kind: OneTimeKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> StoreResult<Option<OneTimeToken>> {
        let slips = &mut self.query()?.one_time_tokens;
        Ok(slips
            .iter()
            .position(|slip| is_usable(slip, kind, hash, at))
            .map(|n| slips.remove(n)))
    }

    async fn compare_and_swap_token(
        &self,
        slip: &OneTimeToken,
        body: String,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let slips = &mut self.query()?.one_time_tokens;
        let kept = slips
            .iter_mut()
            .find(|kept| is_usable(kept, slip.kind, &slip.hash, at) && kept.body == slip.body);
        Ok(kept.map(|kept| kept.body = body).is_some())
    }

    async fn list_tokens(
        &self,
        kind: OneTimeKind,
        of: Option<&Username>,
        at: Timestamp,
    ) -> StoreResult<Vec<OneTimeToken>> {
        let wanted = |slip: &&OneTimeToken| {
            slip.kind == kind
                && at < slip.expires_at
                && of.is_none_or(|of| slip.username.as_ref() == Some(of))
        };
        Ok(self
            .query()?
            .one_time_tokens
            .iter()
            .rev()
            .filter(wanted)
            .take(1_000)
            .cloned()
            .collect())
    }

    async fn delete_tokens(&self, kind: OneTimeKind, of: &Username) -> StoreResult<u64> {
        let slips = &mut self.query()?.one_time_tokens;
        let before = slips.len();
        slips.retain(|slip| slip.kind != kind || slip.username.as_ref() != Some(of));
        Ok((before - slips.len()) as u64)
    }
}

fn is_usable(slip: &OneTimeToken, kind: OneTimeKind, hash: &TokenHash, at: Timestamp) -> bool {
    slip.kind == kind && slip.hash == *hash && at < slip.expires_at
}
