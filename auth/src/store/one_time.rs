//! Typed access to one-time tokens. A flow declares its kind, lifetime and body once, as an
//! implementation of [`OneTime`]; the lifetime and the JSON are handled here.
//!
//! Deliberately absent: the check of the security epoch. Each flow compares it in its own place,
//! mostly in the transaction that consumes the token.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::{OneTimeKind, OneTimeToken, OneTimeTokenStore};
use crate::{AuthError, Clock, TokenHash, Username, clock};

/// The body of the one-time tokens of one flow. It is stored as JSON.
pub(crate) trait OneTime: Serialize + DeserializeOwned {
    const KIND: OneTimeKind;
    /// How long the token is stored.
    const LIFETIME: Duration;

    /// A token with this body that is not stored yet.
    fn to_token(
        &self,
        hash: TokenHash,
        owner: Option<&Username>,
        created_at: Timestamp,
    ) -> Result<OneTimeToken, AuthError> {
        Ok(OneTimeToken {
            kind: Self::KIND,
            hash,
            username: owner.cloned(),
            body: to_json(self)?,
            created_at,
            expires_at: clock::add(created_at, Self::LIFETIME),
        })
    }

    /// Parses the body of a stored token.
    fn parse(token: &OneTimeToken) -> Result<Self, AuthError> {
        serde_json::from_str(&token.body).map_err(|_| {
            tracing::warn!(
                kind = token.kind.as_str(),
                "stored one-time token could not be parsed"
            );
            AuthError::Internal("stored one-time token could not be parsed")
        })
    }
}

fn to_json(body: &impl OneTime) -> Result<String, AuthError> {
    serde_json::to_string(body)
        .map_err(|_| AuthError::Internal("one-time token could not be serialized"))
}

/// A stored token with its parsed body.
pub(crate) struct StoredToken<T> {
    pub(crate) row: OneTimeToken,
    pub(crate) body: T,
}

impl<T: OneTime> StoredToken<T> {
    fn parse(row: OneTimeToken) -> Result<Self, AuthError> {
        let body = T::parse(&row)?;
        Ok(Self { row, body })
    }
}

/// The stored one-time tokens, by the type of their body.
pub(crate) struct OneTimeTokens<'a, S> {
    pub(crate) store: &'a S,
    pub(crate) clock: &'a Clock,
}

impl<S: OneTimeTokenStore> OneTimeTokens<'_, S> {
    pub(crate) async fn insert<T: OneTime>(
        self,
        body: &T,
        hash: TokenHash,
        owner: Option<&Username>,
        created_at: Timestamp,
    ) -> Result<(), AuthError> {
        let token = body.to_token(hash, owner, created_at)?;
        Ok(self.store.insert_token(token).await?)
    }

    /// Reads the token without consuming it.
    pub(crate) async fn find<T: OneTime>(
        self,
        hash: &TokenHash,
    ) -> Result<Option<StoredToken<T>>, AuthError> {
        let found = self
            .store
            .find_token(T::KIND, hash, self.clock.now())
            .await?;
        found.map(StoredToken::parse).transpose()
    }

    /// Consumes the token. Of any number of parallel calls, one receives it.
    pub(crate) async fn consume<T: OneTime>(
        self,
        hash: &TokenHash,
    ) -> Result<Option<StoredToken<T>>, AuthError> {
        let consumed = self
            .store
            .consume_token(T::KIND, hash, self.clock.now())
            .await?;
        consumed.map(StoredToken::parse).transpose()
    }

    /// Compare-and-swap of the body: false if the stored one differs from `old`, or is gone.
    pub(crate) async fn replace<T: OneTime>(
        self,
        old: &OneTimeToken,
        new: &T,
    ) -> Result<bool, AuthError> {
        let now = self.clock.now();
        Ok(self
            .store
            .compare_and_swap_token(old, to_json(new)?, now)
            .await?)
    }

    /// The tokens of one account, or of all (`None`), newest first.
    pub(crate) async fn list<T: OneTime>(
        self,
        owner: Option<&Username>,
    ) -> Result<Vec<Result<StoredToken<T>, AuthError>>, AuthError> {
        let now = self.clock.now();
        let rows = self.store.list_tokens(T::KIND, owner, now).await?;
        Ok(rows.into_iter().map(StoredToken::parse).collect())
    }
}
