//! What is kept of a sign-in that is under way at a provider: a sealed slip, good once, in one browser.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::{Callback, LIFETIME, Provider};
use crate::{
    Auth, AuthError, AuthStore, Token, TokenKind, clock,
    store::{Slip, SlipKind},
};

/// What is kept of a departure; sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Voyage {
    pub(super) provider: String,
    /// Hash of the browser's token.
    pub(super) browser: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) next: String,
    /// Whose account is to be joined.
    pub(super) link: Option<String>,
}

impl<S: AuthStore> Auth<S> {
    pub(super) async fn keep_voyage(&self, state: &Token, voyage: &Voyage) -> Result<(), AuthError> {
        let (hash, now) = (state.hash(), self.0.clock.now());
        let json = serde_json::to_vec(voyage).map_err(|_| AuthError::Internal("a voyage is no JSON"))?;
        let slip = Slip {
            kind: SlipKind::Upstream,
            body: self.0.upstream_seal.seal(&json, hash.as_str(), &self.0.chance)?,
            hash,
            username: None,
            created_at: now,
            expires_at: clock::after(now, LIFETIME),
        };
        Ok(self.0.store.keep_slip(slip).await?)
    }

    /// Looked at before it is taken, so that whoever steals a state cannot even spoil it.
    pub(super) async fn take_voyage(&self, callback: &Callback, provider: &Provider) -> Result<Voyage, AuthError> {
        let token = |raw: &SecretString| Token::parse(TokenKind::Pending, raw.expose_secret());
        let state = token(&callback.state).ok_or(AuthError::WrongBrowser)?.hash();
        let browser = callback.browser.as_ref().and_then(token).ok_or(AuthError::WrongBrowser)?;
        let now = self.0.clock.now();
        let slip = self.0.store.slip(SlipKind::Upstream, &state, now).await?.ok_or(AuthError::WrongBrowser)?;
        let json = self.0.upstream_seal.open(&slip.body, state.as_str())?;
        let voyage: Voyage =
            serde_json::from_slice(json.expose_secret()).map_err(|_| AuthError::Internal("a voyage is no JSON"))?;
        let same = browser.hash().as_str().as_bytes().ct_eq(voyage.browser.as_bytes());
        if !bool::from(same) || voyage.provider != provider.id {
            return Err(AuthError::WrongBrowser);
        }
        let slip: Option<Slip> = self.0.store.take_slip(SlipKind::Upstream, &state, now).await?;
        slip.map(|_| voyage).ok_or(AuthError::WrongBrowser)
    }
}
