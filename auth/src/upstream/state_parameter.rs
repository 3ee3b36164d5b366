//! The `state` parameter: sealed for one browser, opened once at the callback.

use secrecy::{ExposeSecret as _, SecretString};

use super::{Callback, login_state::LoginState, provider::Provider};
use crate::{
    AuthError, AuthStore, Token, TokenHash, TokenKind,
    error::UpstreamError,
    handles::Upstream,
    store::{OneTimeKind, OneTimeToken},
};

/// Bytes. Longer states are rejected.
const MAX_STATE_BYTES: usize = 4096;

impl<S: AuthStore> Upstream<'_, S> {
    pub(crate) fn seal_state(
        self,
        login: &LoginState,
        browser: &Token,
    ) -> Result<SecretString, AuthError> {
        let json = serde_json::to_vec(login)
            .map_err(|_| AuthError::Internal("login state could not be serialized"))?;
        Ok(self
            .0
            .upstream
            .sealer
            .seal(&json, browser.hash().as_str(), &self.0.core.rng)?
            .into())
    }

    /// # Errors
    /// `UpstreamError::StateMismatch` if the state is not ours, has expired, or belongs to another
    /// browser or provider.
    pub(crate) fn open_state(
        self,
        callback: &Callback,
        provider: &Provider,
    ) -> Result<LoginState, AuthError> {
        let browser = callback
            .browser_token
            .as_ref()
            .ok_or(AuthError::Upstream(UpstreamError::StateMismatch))?;
        let state = callback.state.expose_secret();
        if state.len() > MAX_STATE_BYTES {
            return Err(AuthError::Upstream(UpstreamError::StateMismatch));
        }
        let json = self
            .0
            .upstream
            .sealer
            .open(state, browser.hash().as_str())
            .map_err(|_| AuthError::Upstream(UpstreamError::StateMismatch))?;
        // A state of an older version may have another format. The login must start again.
        let login: LoginState = serde_json::from_slice(json.expose_secret())
            .map_err(|_| AuthError::Upstream(UpstreamError::StateMismatch))?;
        let is_expired = !login.is_current(self.0.core.clock.now());
        if is_expired || login.provider != provider.id {
            Err(AuthError::Upstream(UpstreamError::StateMismatch))
        } else {
            Ok(login)
        }
    }

    /// Consumes the state. Of any number of parallel callbacks, one succeeds.
    pub(crate) async fn consume_state(self, login: &LoginState) -> Result<(), AuthError> {
        // Untyped: a replay marker has no body, and it expires with the sealed state.
        let one_time = OneTimeToken {
            kind: OneTimeKind::Upstream,
            hash: TokenHash::of(login.nonce.as_bytes()),
            username: None,
            body: String::new(),
            created_at: self.0.core.clock.now(),
            expires_at: login.expires_at(),
        };
        if self.0.core.store.insert_token_if_absent(one_time).await? {
            Ok(())
        } else {
            Err(AuthError::Upstream(UpstreamError::StateMismatch))
        }
    }

    /// Returns the browser's existing token, or a new one. All windows share one, because logins
    /// may run in parallel.
    pub(crate) fn browser_token(self, existing: Option<Token>) -> Token {
        existing.unwrap_or_else(|| Token::random(TokenKind::Flow, &self.0.core.rng))
    }
}
