//! A sign-in on the page in two steps: the password was right, and now it waits for the second factor. What is kept
//! meanwhile is a [slip](crate::store::Slip); the browser has its token in a cookie. The password is not kept.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Account, Auth, AuthError, AuthMethods, AuthStore, FactorKinds, OneTimeCode, Origin,
    SecurityEpoch, SessionKind, Token, TokenHash, TokenKind,
    access::policy::AuthVia,
    clock,
    service::SignedIn,
    session::create::NewSession,
    store::{Credentials, OneTimeKind, OneTimeToken},
};

/// So long a sign-in waits.
const CHALLENGE_LIFETIME: Duration = Duration::from_mins(5);

/// How far somebody got who showed their password.
#[derive(Debug)]
pub enum SignInOutcome {
    Complete(SignedIn),
    MfaRequired(MfaChallenge),
}

/// A sign-in that waits for its second factor.
#[derive(Debug)]
pub struct MfaChallenge {
    /// For the browser; leads to nothing but the second step.
    pub token: Token,
    pub expires_in: Duration,
}

/// A sign-in that waits, found by its token.
#[derive(Debug)]
pub struct PendingSignIn {
    pub(crate) token_hash: TokenHash,
    pub account: Account,
    /// What it may go on with.
    pub available_factors: FactorKinds,
    /// What was shown so far.
    pub(crate) methods_so_far: AuthMethods,
    pub(crate) proved_at: Option<Timestamp>,
}

/// The body of a [`SlipKind::SecondFactor`].
#[derive(Serialize, Deserialize)]
struct MfaBody {
    methods: String,
    /// In which the password was right: once another one has begun, this sign-in is over.
    #[serde(default)]
    era: SecurityEpoch,
    /// When it was shown, unless that is when this began.
    #[serde(default)]
    proved_at: Option<Timestamp>,
}

impl<S: AuthStore> Auth<S> {
    /// Somebody has shown `first`, and `known` asks for more.
    pub(crate) async fn start_mfa(
        &self,
        known: &Credentials,
        first: AuthMethods,
    ) -> Result<MfaChallenge, AuthError> {
        self.start_mfa_since(known, first, None).await
    }

    /// Somebody has shown `first` to a provider, at `proved_at`.
    pub(crate) async fn start_mfa_since(
        &self,
        known: &Credentials,
        first: AuthMethods,
        proved_at: Option<Timestamp>,
    ) -> Result<MfaChallenge, AuthError> {
        let (token, now) = (
            Token::random(TokenKind::Flow, &self.0.rng),
            self.0.clock.now(),
        );
        let body = MfaBody {
            methods: first.to_string(),
            era: known.account.epoch,
            proved_at,
        };
        let body = serde_json::to_string(&body)
            .map_err(|_| AuthError::Internal("a sign-in could not be written"))?;
        let one_time = OneTimeToken {
            kind: OneTimeKind::SecondFactor,
            hash: token.hash(),
            username: Some(known.account.username.clone()),
            body,
            created_at: now,
            expires_at: clock::add(now, CHALLENGE_LIFETIME),
        };
        self.0.store.insert_token(one_time).await?;
        Ok(MfaChallenge {
            token,
            expires_in: CHALLENGE_LIFETIME,
        })
    }

    /// # Errors
    /// [`AuthError::SignInOver`] for a token that is no good, or no good any more.
    pub async fn pending_sign_in(&self, token: &str) -> Result<PendingSignIn, AuthError> {
        let hash = Token::parse(TokenKind::Flow, token)
            .ok_or(AuthError::SignInExpired)?
            .hash();
        let one_time = self
            .0
            .store
            .find_token(OneTimeKind::SecondFactor, &hash, self.0.clock.now())
            .await?;
        let Some((username, body)) =
            one_time.and_then(|one_time| Some((one_time.username?, one_time.body)))
        else {
            return Err(AuthError::SignInExpired);
        };
        let body: MfaBody =
            serde_json::from_str(&body).map_err(|_| AuthError::Internal("a stored sign-in"))?;
        let known = self
            .active_credentials(&username)
            .await?
            .filter(|known| known.account.epoch == body.era);
        let account = known.ok_or(AuthError::SignInExpired)?.account;
        let ways = self.factor_kinds(&username).await?;
        let first = AuthMethods::parse(&body.methods);
        Ok(PendingSignIn {
            token_hash: hash,
            account,
            available_factors: ways,
            methods_so_far: first,
            proved_at: body.proved_at,
        })
    }

    /// The second step with a code. A wrong one leaves the sign-in waiting.
    ///
    /// # Errors
    /// [`AuthError::SecondFactorWrong`], [`AuthError::Throttled`], [`AuthError::SignInOver`].
    pub async fn submit_second_factor(
        &self,
        token: &str,
        code: OneTimeCode,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let pending = self.pending_sign_in(token).await?;
        // By itself, so that whoever hangs up is charged all the same.
        let auth = self.clone();
        let done = tokio::spawn(async move {
            let second = auth.verify_code(&pending.account, &code, &from).await?;
            let second = second.ok_or(AuthError::SecondFactorInvalid)?;
            auth.complete_mfa(pending, AuthMethods::of(&[second]), from)
                .await
        });
        done.await
            .unwrap_or(Err(AuthError::Internal("a sign-in panicked")))
    }

    /// The second step is done: the session begins, once.
    pub(crate) async fn complete_mfa(
        &self,
        pending: PendingSignIn,
        second: AuthMethods,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let now = self.0.clock.now();
        let taken = self
            .0
            .store
            .consume_token(OneTimeKind::SecondFactor, &pending.token_hash, now)
            .await?;
        taken.ok_or(AuthError::SignInExpired)?;
        let username = &pending.account.username;
        let new_session = NewSession {
            // A provider that did not ask makes no recent sign-in, whatever comes after it; a passkey is one by itself.
            auth_time: pending.proved_at.filter(|_| !second.is_multi_factor()),
            ..NewSession::interactive(SessionKind::Web, pending.methods_so_far.union(second), from)
        };
        let (session, secret) = self
            .create_session(&pending.account, new_session)
            .await?
            .ok_or(AuthError::SignInExpired)?;
        metrics::counter!("strongroom_sign_ins_total", "outcome" => "signed_in").increment(1);
        let rights = self
            .rights(username)
            .await?
            .ok_or(AuthError::SignInExpired)?;
        Ok(SignedIn {
            caller: self.caller_for(rights, Arc::new(session), AuthVia::Cookie),
            secret,
        })
    }
}
