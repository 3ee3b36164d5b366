//! A sign-in on the page in two steps: the password was right, and now it waits for the second factor. What is kept
//! meanwhile is a [slip](crate::store::Slip); the browser has its token in a cookie. The password is not kept.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Account, Auth, AuthError, AuthStore, Era, FactorKinds, Methods, OneTimeCode, Origin,
    SessionKind, Token, TokenHash, TokenKind,
    auth::SignedIn,
    beginning::Beginning,
    clock,
    policy::Via,
    store::{Credentials, Slip, SlipKind},
};

/// So long a sign-in waits.
const WAITS: Duration = Duration::from_mins(5);

/// How far somebody got who showed their password.
#[derive(Debug)]
pub enum Step {
    SignedIn(SignedIn),
    HalfWay(HalfWay),
}

/// A sign-in that waits for its second factor.
#[derive(Debug)]
pub struct HalfWay {
    /// For the browser; leads to nothing but the second step.
    pub token: Token,
    pub good_for: Duration,
}

/// A sign-in that waits, found by its token.
#[derive(Debug)]
pub struct Waiting {
    pub(crate) slip: TokenHash,
    pub account: Account,
    /// What it may go on with.
    pub ways: FactorKinds,
    /// What was shown so far.
    pub(crate) first: Methods,
    pub(crate) proved_at: Option<Timestamp>,
}

/// The body of a [`SlipKind::SecondFactor`].
#[derive(Serialize, Deserialize)]
struct Body {
    methods: String,
    /// In which the password was right: once another one has begun, this sign-in is over.
    #[serde(default)]
    era: Era,
    /// When it was shown, unless that is when this began.
    #[serde(default)]
    proved_at: Option<Timestamp>,
}

impl<S: AuthStore> Auth<S> {
    /// Somebody has shown `first`, and `known` asks for more.
    pub(crate) async fn wait(
        &self,
        known: &Credentials,
        first: Methods,
    ) -> Result<HalfWay, AuthError> {
        self.wait_since(known, first, None).await
    }

    /// Somebody has shown `first` to a provider, at `proved_at`.
    pub(crate) async fn wait_since(
        &self,
        known: &Credentials,
        first: Methods,
        proved_at: Option<Timestamp>,
    ) -> Result<HalfWay, AuthError> {
        let (token, now) = (
            Token::random(TokenKind::Pending, &self.0.chance),
            self.0.clock.now(),
        );
        let body = Body {
            methods: first.to_string(),
            era: known.account.era,
            proved_at,
        };
        let body = serde_json::to_string(&body)
            .map_err(|_| AuthError::Internal("a sign-in could not be written"))?;
        let slip = Slip {
            kind: SlipKind::SecondFactor,
            hash: token.hash(),
            username: Some(known.account.username.clone()),
            body,
            created_at: now,
            expires_at: clock::after(now, WAITS),
        };
        self.0.store.keep_slip(slip).await?;
        Ok(HalfWay {
            token,
            good_for: WAITS,
        })
    }

    /// # Errors
    /// [`AuthError::SignInOver`] for a token that is no good, or no good any more.
    pub async fn half_way(&self, token: &str) -> Result<Waiting, AuthError> {
        let hash = Token::parse(TokenKind::Pending, token)
            .ok_or(AuthError::SignInOver)?
            .hash();
        let slip = self
            .0
            .store
            .slip(SlipKind::SecondFactor, &hash, self.0.clock.now())
            .await?;
        let Some((username, body)) = slip.and_then(|slip| Some((slip.username?, slip.body))) else {
            return Err(AuthError::SignInOver);
        };
        let body: Body =
            serde_json::from_str(&body).map_err(|_| AuthError::Internal("a stored sign-in"))?;
        let known = self
            .active(&username)
            .await?
            .filter(|known| known.account.era == body.era);
        let account = known.ok_or(AuthError::SignInOver)?.account;
        let ways = self.factor_kinds(&username).await?;
        let first = Methods::stored(&body.methods);
        Ok(Waiting {
            slip: hash,
            account,
            ways,
            first,
            proved_at: body.proved_at,
        })
    }

    /// The second step with a code. A wrong one leaves the sign-in waiting.
    ///
    /// # Errors
    /// [`AuthError::SecondFactorWrong`], [`AuthError::Throttled`], [`AuthError::SignInOver`].
    pub async fn second_step(
        &self,
        token: &str,
        code: OneTimeCode,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let waiting = self.half_way(token).await?;
        // By itself, so that whoever hangs up is charged all the same.
        let auth = self.clone();
        let done = tokio::spawn(async move {
            let second = auth.check_code(&waiting.account, &code, &from).await?;
            let second = second.ok_or(AuthError::SecondFactorWrong)?;
            auth.go_in(waiting, Methods::of(&[second]), from).await
        });
        done.await
            .unwrap_or(Err(AuthError::Internal("a sign-in panicked")))
    }

    /// The second step is done: the session begins, once.
    pub(crate) async fn go_in(
        &self,
        waiting: Waiting,
        second: Methods,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let now = self.0.clock.now();
        let taken = self
            .0
            .store
            .take_slip(SlipKind::SecondFactor, &waiting.slip, now)
            .await?;
        taken.ok_or(AuthError::SignInOver)?;
        let username = &waiting.account.username;
        let beginning = Beginning {
            // A provider that did not ask makes no recent sign-in, whatever comes after it; a passkey is one by itself.
            auth_time: waiting.proved_at.filter(|_| !second.is_multi_factor()),
            ..Beginning::in_person(SessionKind::Web, waiting.first.joined(second), from)
        };
        let (session, secret) = self
            .begin(&waiting.account, beginning)
            .await?
            .ok_or(AuthError::SignInOver)?;
        metrics::counter!("strongroom_sign_ins_total", "outcome" => "signed_in").increment(1);
        let rights = self.rights(username).await?.ok_or(AuthError::SignInOver)?;
        Ok(SignedIn {
            caller: self.caller_of(rights, Arc::new(session), Via::Cookie),
            secret,
        })
    }
}
