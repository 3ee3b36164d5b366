//! One-time tokens, in a list.

use jiff::Timestamp;

use super::MemoryStore;
use crate::{
    TokenHash, Username,
    store::{OneTimeKind, OneTimeToken, OneTimeTokenStore, StoreResult},
};

impl MemoryStore {
    pub(crate) fn only_one_time_token(&self) -> OneTimeToken {
        let tokens = &self.tables().one_time_tokens;
        assert_eq!(tokens.len(), 1);
        tokens[0].clone()
    }
}

impl OneTimeTokenStore for MemoryStore {
    async fn insert_token(&self, token: OneTimeToken) -> StoreResult<()> {
        self.query()?.one_time_tokens.push(token);
        Ok(())
    }

    async fn insert_token_if_absent(&self, token: OneTimeToken) -> StoreResult<bool> {
        let tokens = &mut self.query()?.one_time_tokens;
        if tokens
            .iter()
            .any(|old| old.kind == token.kind && old.hash == token.hash)
        {
            return Ok(false);
        }
        tokens.push(token);
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
            .find(|token| is_usable(token, kind, hash, at))
            .cloned())
    }

    async fn consume_token(
        &self,
        kind: OneTimeKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> StoreResult<Option<OneTimeToken>> {
        let tokens = &mut self.query()?.one_time_tokens;
        Ok(tokens
            .iter()
            .position(|token| is_usable(token, kind, hash, at))
            .map(|n| tokens.remove(n)))
    }

    async fn compare_and_swap_token(
        &self,
        token: &OneTimeToken,
        body: String,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let tokens = &mut self.query()?.one_time_tokens;
        let old = tokens
            .iter_mut()
            .find(|old| is_usable(old, token.kind, &token.hash, at) && old.body == token.body);
        Ok(old.map(|old| old.body = body).is_some())
    }

    async fn list_tokens(
        &self,
        kind: OneTimeKind,
        of: Option<&Username>,
        at: Timestamp,
    ) -> StoreResult<Vec<OneTimeToken>> {
        let wanted = |token: &&OneTimeToken| {
            token.kind == kind
                && is_live(token, at)
                && of.is_none_or(|of| token.username.as_ref() == Some(of))
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
        let tokens = &mut self.query()?.one_time_tokens;
        let before = tokens.len();
        tokens.retain(|token| token.kind != kind || token.username.as_ref() != Some(of));
        Ok((before - tokens.len()) as u64)
    }
}

fn is_usable(token: &OneTimeToken, kind: OneTimeKind, hash: &TokenHash, at: Timestamp) -> bool {
    token.kind == kind && token.hash == *hash && is_live(token, at)
}

fn is_live(token: &OneTimeToken, at: Timestamp) -> bool {
    at < token.expires_at && !crate::clock::is_ahead(token.created_at, at)
}
