//! A ceremony under way (`WebAuthn` §7): what is remembered between the options and the answer. Good once, for five
//! minutes, and bound to whoever asked, so nobody else can end it.
//!
//! Those of somebody who is known are kept as slips. Anybody may begin to sign in, as often as they like, so that is kept
//! nowhere: it travels sealed, and the passkey that ended it remembers so.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, PasskeyAuthentication, PasskeyRegistration,
};

use super::PasskeyError;
use crate::{
    Auth, AuthError, AuthStore, Caller, SecurityEpoch, Token, TokenHash, TokenKind, Username,
    clock,
    store::{OneTimeKind, OneTimeToken},
};

/// As long as browsers wait for a person (§15.1).
const CEREMONY_LIFETIME: Duration = Duration::from_mins(5);

/// What a ceremony hangs on: the answer must come with the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CeremonyBinding {
    /// The session that asked, and the era of its account: one that is kept while everything else is thrown out begins
    /// anew as well.
    Session { id: String, era: SecurityEpoch },
    /// The sign-in that waits for its second factor, by its hash.
    Pending(String),
}

impl CeremonyBinding {
    pub(crate) fn for_session(caller: &Caller) -> Self {
        Self::Session {
            id: caller.session().id.to_string(),
            era: caller.account().epoch,
        }
    }

    pub(crate) fn for_mfa(hash: &TokenHash) -> Self {
        Self::Pending(hash.as_str().to_owned())
    }
}

/// What is to be done, with the challenge and the rules that were sent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CeremonyState {
    Enrol {
        handle: uuid::Uuid,
        state: PasskeyRegistration,
    },
    Prove(PasskeyAuthentication),
}

#[derive(Debug, Serialize, Deserialize)]
struct Ceremony {
    #[serde(rename = "bound")]
    binding: CeremonyBinding,
    #[serde(rename = "act")]
    state: CeremonyState,
}

/// A sign-in under way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PendingPasskeySignIn {
    #[serde(rename = "once")]
    pub(super) marker: ReplayMarker,
    pub(super) state: DiscoverableAuthentication,
}

/// What a passkey remembers of a sign-in that it has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReplayMarker {
    id: String,
    pub(super) until: Timestamp,
}

impl ReplayMarker {
    pub(super) fn started_at(&self) -> Timestamp {
        clock::sub(self.until, CEREMONY_LIFETIME)
    }
}

impl<S: AuthStore> Auth<S> {
    /// For the browser that has `cookie`.
    pub(super) fn seal_sign_in(
        &self,
        state: DiscoverableAuthentication,
        cookie: &Token,
    ) -> Result<String, AuthError> {
        let (id, until) = (
            hex::encode(self.0.rng.bytes::<16>()),
            clock::add(self.0.clock.now(), CEREMONY_LIFETIME),
        );
        let sign_in = serde_json::to_vec(&PendingPasskeySignIn {
            marker: ReplayMarker { id, until },
            state,
        });
        let sign_in = sign_in.map_err(|_| AuthError::Internal("a ceremony is no JSON"))?;
        self.0
            .factor_sealer
            .seal(&sign_in, &browser_aad(cookie), &self.0.rng)
    }

    /// # Errors
    /// [`PasskeyError::Over`] for one that is too old, of another browser, or none of ours. Whether it has ended already
    /// is for the passkey to know.
    pub(super) fn open_sign_in(
        &self,
        sealed: &str,
        cookie: &Token,
    ) -> Result<PendingPasskeySignIn, AuthError> {
        let opened = self
            .0
            .factor_sealer
            .open(sealed, &browser_aad(cookie))
            .map_err(|_| PasskeyError::CeremonyExpired)?;
        let sign_in: PendingPasskeySignIn = serde_json::from_slice(opened.expose_secret())
            .map_err(|_| PasskeyError::CeremonyExpired)?;
        if self.0.clock.now() < sign_in.marker.until {
            Ok(sign_in)
        } else {
            Err(PasskeyError::CeremonyExpired.into())
        }
    }

    /// The token names it from now on.
    pub(crate) async fn store_ceremony(
        &self,
        binding: CeremonyBinding,
        of: &Username,
        state: CeremonyState,
    ) -> Result<String, AuthError> {
        let token = Token::random(TokenKind::Flow, &self.0.rng);
        let body = serde_json::to_string(&Ceremony { binding, state });
        let created_at = self.0.clock.now();
        let one_time = OneTimeToken {
            kind: OneTimeKind::Ceremony,
            hash: token.hash(),
            username: Some(of.clone()),
            body: body.map_err(|_| AuthError::Internal("a ceremony is no JSON"))?,
            created_at,
            expires_at: clock::add(created_at, CEREMONY_LIFETIME),
        };
        self.0.store.insert_token(one_time).await?;
        Ok(token.expose().to_owned())
    }

    /// Whatever becomes of it, it is over.
    ///
    /// # Errors
    /// [`PasskeyError::Over`] for one that is unknown, used, too old, or somebody else's.
    pub(crate) async fn consume_ceremony(
        &self,
        raw: &str,
        binding: &CeremonyBinding,
    ) -> Result<CeremonyState, AuthError> {
        let token = Token::parse(TokenKind::Flow, raw).ok_or(PasskeyError::CeremonyExpired)?;
        let one_time = self
            .0
            .store
            .consume_token(OneTimeKind::Ceremony, &token.hash(), self.0.clock.now())
            .await?;
        let one_time = one_time.ok_or(PasskeyError::CeremonyExpired)?;
        let stored: Ceremony = serde_json::from_str(&one_time.body)
            .map_err(|_| AuthError::Internal("a ceremony cannot be read"))?;
        if stored.binding == *binding {
            Ok(stored.state)
        } else {
            Err(PasskeyError::CeremonyExpired.into())
        }
    }
}

fn browser_aad(cookie: &Token) -> String {
    format!("passkey/sign-in/{}", cookie.hash().as_str())
}
