//! A ceremony under way (`WebAuthn` §7): what the server remembers between the options and the answer. Kept as a slip,
//! so it is good once, for five minutes; bound to whoever asked, so nobody else can end it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{DiscoverableAuthentication, PasskeyAuthentication, PasskeyRegistration};

use super::PasskeyError;
use crate::{
    Auth, AuthError, AuthStore, Caller, Token, TokenHash, TokenKind, Username, clock,
    store::{Slip, SlipKind},
};

/// As long as browsers wait for a person (§15.1).
const OPEN: Duration = Duration::from_mins(5);

/// What a ceremony hangs on: the answer must come with the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    /// The session that asked.
    Session(String),
    /// The browser that asked, by the hash of its cookie.
    Browser(String),
    /// The sign-in that waits for its second factor, by its hash.
    Pending(String),
}

impl Bound {
    pub(crate) fn to_session(caller: &Caller) -> Self {
        Self::Session(caller.session().id.to_string())
    }

    pub(crate) fn to_browser(cookie: &Token) -> Self {
        Self::Browser(cookie.hash().as_str().to_owned())
    }

    pub(crate) fn to_pending(hash: &TokenHash) -> Self {
        Self::Pending(hash.as_str().to_owned())
    }
}

/// What is to be done, with the challenge and the rules that were sent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Act {
    Enrol { handle: uuid::Uuid, state: PasskeyRegistration },
    SignIn(DiscoverableAuthentication),
    Prove(PasskeyAuthentication),
}

#[derive(Debug, Serialize, Deserialize)]
struct Ceremony {
    bound: Bound,
    act: Act,
}

impl<S: AuthStore> Auth<S> {
    /// The token names it from now on.
    pub(crate) async fn keep_ceremony(
        &self,
        bound: Bound,
        of: Option<&Username>,
        act: Act,
    ) -> Result<Token, AuthError> {
        let token = Token::random(TokenKind::Pending, &self.0.chance);
        let body = serde_json::to_string(&Ceremony { bound, act });
        let created_at = self.0.clock.now();
        let slip = Slip {
            kind: SlipKind::Ceremony,
            hash: token.hash(),
            username: of.cloned(),
            body: body.map_err(|_| AuthError::Internal("a ceremony is no JSON"))?,
            created_at,
            expires_at: clock::after(created_at, OPEN),
        };
        self.0.store.keep_slip(slip).await?;
        Ok(token)
    }

    /// Whatever becomes of it, it is over.
    ///
    /// # Errors
    /// [`PasskeyError::Over`] for one that is unknown, used, too old, or somebody else's.
    pub(crate) async fn take_ceremony(&self, shown: &str, bound: &Bound) -> Result<Act, AuthError> {
        let token = Token::parse(TokenKind::Pending, shown).ok_or(PasskeyError::Over)?;
        let slip = self.0.store.take_slip(SlipKind::Ceremony, &token.hash(), self.0.clock.now()).await?;
        let slip = slip.ok_or(PasskeyError::Over)?;
        let kept: Ceremony =
            serde_json::from_str(&slip.body).map_err(|_| AuthError::Internal("a ceremony cannot be read"))?;
        if kept.bound == *bound { Ok(kept.act) } else { Err(PasskeyError::Over.into()) }
    }
}
