//! A sign-in that is under way at a provider. What is kept of it travels with the browser, sealed, as the `state` of the
//! address (RFC 6749 §4.1.1), and opens only together with a cookie of the browser that left: whoever only leaves costs
//! us nothing. That it comes to an end once is written down at its end.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Callback, Provider, STATE_LIFETIME, protocol::Prompt};
use crate::{
    Auth, AuthError, AuthStore, Caller, Token, TokenHash, TokenKind, clock,
    store::{OneTimeKind, OneTimeToken},
};

/// Longer ones are not ours.
const MAX_STATE_BYTES: usize = 4096;
/// Of the place to go to afterwards: addresses do not grow without end.
const MAX_NEXT_BYTES: usize = 1024;

/// What is kept of a departure; sealed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LoginState {
    pub(crate) provider: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
    pub(crate) next: String,
    pub(crate) ask: Prompt,
    #[serde(rename = "departed_at")]
    pub(crate) started_at: Timestamp,
    /// What is to be joined to.
    pub(crate) link: Option<LinkTarget>,
}

/// An account, as it was when somebody who was signed in to it left. Another era or another session joins nothing: it is
/// somebody else's idea.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkTarget {
    username: String,
    session: String,
    era: i64,
}

impl LinkTarget {
    pub(crate) fn of(caller: &Caller) -> Self {
        Self {
            username: caller.account().username.as_str().to_owned(),
            session: caller.session().id.to_string(),
            era: caller.account().epoch.number(),
        }
    }
}

/// A place in the house that is not too long to come back to.
pub(crate) fn clamp_next(next: String) -> String {
    if next.len() <= MAX_NEXT_BYTES {
        next
    } else {
        "/".to_owned()
    }
}

impl<S: AuthStore> Auth<S> {
    pub(crate) fn seal_state(
        &self,
        login: &LoginState,
        browser: &Token,
    ) -> Result<SecretString, AuthError> {
        let json =
            serde_json::to_vec(login).map_err(|_| AuthError::Internal("a voyage is no JSON"))?;
        Ok(self
            .0
            .upstream_sealer
            .seal(&json, browser.hash().as_str(), &self.0.rng)?
            .into())
    }

    /// # Errors
    /// [`AuthError::WrongBrowser`] for one that is not ours, another browser's, another provider's, or too old.
    pub(crate) fn open_state(
        &self,
        callback: &Callback,
        provider: &Provider,
    ) -> Result<LoginState, AuthError> {
        let browser = callback
            .browser_token
            .as_ref()
            .ok_or(AuthError::StateMismatch)?;
        let state = callback.state.expose_secret();
        if state.len() > MAX_STATE_BYTES {
            return Err(AuthError::StateMismatch);
        }
        let json = self
            .0
            .upstream_sealer
            .open(state, browser.hash().as_str())
            .map_err(|_| AuthError::StateMismatch)?;
        // One that an older version sealed may look otherwise: it begins anew.
        let login: LoginState =
            serde_json::from_slice(json.expose_secret()).map_err(|_| AuthError::StateMismatch)?;
        let is_expired = self.0.clock.now() >= login.expires_at();
        if is_expired || login.provider != provider.id {
            Err(AuthError::StateMismatch)
        } else {
            Ok(login)
        }
    }

    /// Of any number of callbacks at once, one gets on.
    pub(crate) async fn consume_state(&self, login: &LoginState) -> Result<(), AuthError> {
        let one_time = OneTimeToken {
            kind: OneTimeKind::Upstream,
            hash: TokenHash::of(login.nonce.as_bytes()),
            username: None,
            body: String::new(),
            created_at: self.0.clock.now(),
            expires_at: login.expires_at(),
        };
        if self.0.store.insert_token_if_absent(one_time).await? {
            Ok(())
        } else {
            Err(AuthError::StateMismatch)
        }
    }

    /// The cookie that a browser showed, or a new one: one for all of its windows, which may be on their way at once.
    pub(crate) fn browser_token(&self, existing: Option<Token>) -> Token {
        existing.unwrap_or_else(|| Token::random(TokenKind::Flow, &self.0.rng))
    }
}

impl LoginState {
    fn expires_at(&self) -> Timestamp {
        clock::add(self.started_at, STATE_LIFETIME)
    }
}
