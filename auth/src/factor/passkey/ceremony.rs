//! State of a ceremony (`WebAuthn` §7) between options and response. It is valid once, for five
//! minutes, and only for the session, pending sign-in or browser that started it.
//!
//! Ceremonies of a known account are stored as one-time tokens. A sign-in ceremony can be started
//! by anyone, so it is not stored: it travels sealed, and the passkey that completes it records its
//! marker.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, PasskeyAuthentication, PasskeyRegistration,
};

use super::PasskeyError;
use crate::{
    AuthError, AuthStore, Caller, Passkeys, SecurityEpoch, Token, TokenHash, TokenKind, Username,
    clock,
    store::{OneTimeKind, one_time::OneTime},
};

/// The time that browsers wait for the user (§15.1).
const CEREMONY_LIFETIME: Duration = Duration::from_mins(5);

/// The response must come from the same session or pending sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CeremonyBinding {
    /// The session that asked, and its account's security epoch. A kept session is not enough: if
    /// all other sessions are revoked, the ceremony must start again.
    Session { id: String, era: SecurityEpoch },
    /// The sign-in that waits for its second factor, by the hash of its token.
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

/// The operation, with the challenge and rules that were sent.
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

impl OneTime for Ceremony {
    const KIND: OneTimeKind = OneTimeKind::Ceremony;
    const LIFETIME: Duration = CEREMONY_LIFETIME;
}

/// A pending sign-in with a passkey.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PendingPasskeySignIn {
    #[serde(rename = "once")]
    pub(super) marker: ReplayMarker,
    pub(super) state: DiscoverableAuthentication,
}

/// A completed sign-in ceremony, as the passkey records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReplayMarker {
    id: String,
    pub(super) until: Timestamp,
}

impl ReplayMarker {
    pub(super) fn is_current(&self, now: Timestamp) -> bool {
        clock::is_within(self.started_at(), CEREMONY_LIFETIME, now)
    }

    pub(super) fn started_at(&self) -> Timestamp {
        clock::sub(self.until, CEREMONY_LIFETIME)
    }
}

impl<S: AuthStore> Passkeys<'_, S> {
    /// Seals the state for the browser with the token `cookie`.
    pub(super) fn seal_sign_in(
        self,
        state: DiscoverableAuthentication,
        cookie: &Token,
    ) -> Result<String, AuthError> {
        let (id, until) = (
            hex::encode(self.0.core.rng.bytes::<16>()),
            clock::add(self.0.core.clock.now(), CEREMONY_LIFETIME),
        );
        let sign_in = serde_json::to_vec(&PendingPasskeySignIn {
            marker: ReplayMarker { id, until },
            state,
        });
        let sign_in =
            sign_in.map_err(|_| AuthError::Internal("ceremony could not be serialized"))?;
        self.0
            .factors
            .sealer
            .seal(&sign_in, &browser_aad(cookie), &self.0.core.rng)
    }

    /// # Errors
    /// [`PasskeyError::CeremonyExpired`] if the state has expired, belongs to another browser, or
    /// is not ours. The passkey's record shows whether it was already completed.
    pub(super) fn open_sign_in(
        self,
        sealed: &str,
        cookie: &Token,
    ) -> Result<PendingPasskeySignIn, AuthError> {
        let opened = self
            .0
            .factors
            .sealer
            .open(sealed, &browser_aad(cookie))
            .map_err(|_| PasskeyError::CeremonyExpired)?;
        let sign_in: PendingPasskeySignIn = serde_json::from_slice(opened.expose_secret())
            .map_err(|_| PasskeyError::CeremonyExpired)?;
        if sign_in.marker.is_current(self.0.core.clock.now()) {
            Ok(sign_in)
        } else {
            Err(PasskeyError::CeremonyExpired.into())
        }
    }

    /// Stores the ceremony. The returned token identifies it.
    pub(crate) async fn store_ceremony(
        self,
        binding: CeremonyBinding,
        of: &Username,
        state: CeremonyState,
    ) -> Result<String, AuthError> {
        let token = Token::random(TokenKind::Flow, &self.0.core.rng);
        let (ceremony, now) = (Ceremony { binding, state }, self.0.core.clock.now());
        self.0
            .core
            .one_time()
            .insert(&ceremony, token.hash(), Some(of), now)
            .await?;
        Ok(token.expose().to_owned())
    }

    /// Consumes the ceremony, whatever the outcome.
    ///
    /// # Errors
    /// [`PasskeyError::CeremonyExpired`] if it is unknown, used, expired, or bound to another
    /// session.
    pub(crate) async fn consume_ceremony(
        self,
        raw: &str,
        binding: &CeremonyBinding,
    ) -> Result<CeremonyState, AuthError> {
        let token = Token::parse(TokenKind::Flow, raw).ok_or(PasskeyError::CeremonyExpired)?;
        let consumed = self
            .0
            .core
            .one_time()
            .consume::<Ceremony>(&token.hash())
            .await?;
        let stored = consumed.ok_or(PasskeyError::CeremonyExpired)?.body;
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
