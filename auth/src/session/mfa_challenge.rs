//! Sign-in on the page in two steps: password, then second factor. The state between them is a
//! [`OneTimeToken`]; the browser holds its secret in a cookie. The password is not stored.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Account, AuthError, AuthMethods, AuthStore, FactorKinds, Factors, OneTimeCode, Origin,
    SecurityEpoch, SessionKind, Token, TokenHash, TokenKind,
    access::policy::AuthVia,
    clock,
    session::create::{NewSession, SignedIn},
    store::{Credentials, OneTimeKind, OneTimeToken},
};

/// Lifetime of an MFA challenge.
const CHALLENGE_LIFETIME: Duration = Duration::from_mins(5);

/// The result of a sign-in with a correct password.
#[derive(Debug)]
pub enum SignInOutcome {
    Complete(SignedIn),
    MfaRequired(MfaChallenge),
}

/// A sign-in that awaits its second factor.
#[derive(Debug)]
pub struct MfaChallenge {
    /// For the browser's cookie; valid only for the second step.
    pub token: Token,
    pub expires_in: Duration,
}

/// The state of a pending sign-in, loaded by its token.
#[derive(Debug)]
pub struct PendingSignIn {
    pub(crate) token_hash: TokenHash,
    pub account: Account,
    /// The factors that the account may use.
    pub available_factors: FactorKinds,
    /// The methods verified so far.
    pub(crate) methods_so_far: AuthMethods,
    pub(crate) proved_at: Option<Timestamp>,
}

/// The body of an [`OneTimeKind::SecondFactor`] token.
#[derive(Serialize, Deserialize)]
struct MfaBody {
    methods: String,
    /// The security epoch at the first step. The challenge is invalid in a later one.
    #[serde(default)]
    era: SecurityEpoch,
    /// Authentication time at the provider, if it was before the challenge.
    #[serde(default)]
    proved_at: Option<Timestamp>,
}

impl<S: AuthStore> Factors<'_, S> {
    /// Starts a challenge for an account that requires more than `first`.
    pub(crate) async fn start_mfa(
        self,
        known: &Credentials,
        first: AuthMethods,
    ) -> Result<MfaChallenge, AuthError> {
        self.start_mfa_since(known, first, None).await
    }

    /// As `start_mfa`, after an authentication at a provider at `proved_at`.
    pub(crate) async fn start_mfa_since(
        self,
        known: &Credentials,
        first: AuthMethods,
        proved_at: Option<Timestamp>,
    ) -> Result<MfaChallenge, AuthError> {
        let (token, now) = (
            Token::random(TokenKind::Flow, &self.0.core.rng),
            self.0.core.clock.now(),
        );
        let body = MfaBody {
            methods: first.to_string(),
            era: known.account.epoch,
            proved_at,
        };
        let body = serde_json::to_string(&body)
            .map_err(|_| AuthError::Internal("the pending sign-in could not be serialized"))?;
        let one_time = OneTimeToken {
            kind: OneTimeKind::SecondFactor,
            hash: token.hash(),
            username: Some(known.account.username.clone()),
            body,
            created_at: now,
            expires_at: clock::add(now, CHALLENGE_LIFETIME),
        };
        self.0.core.store.insert_token(one_time).await?;
        Ok(MfaChallenge {
            token,
            expires_in: CHALLENGE_LIFETIME,
        })
    }

    /// # Errors
    /// [`AuthError::SignInExpired`] for an unknown, used or expired token.
    pub async fn pending_sign_in(self, token: &str) -> Result<PendingSignIn, AuthError> {
        let hash = Token::parse(TokenKind::Flow, token)
            .ok_or(AuthError::SignInExpired)?
            .hash();
        let one_time = self
            .0
            .core
            .store
            .find_token(OneTimeKind::SecondFactor, &hash, self.0.core.clock.now())
            .await?;
        let Some((username, body)) =
            one_time.and_then(|one_time| Some((one_time.username?, one_time.body)))
        else {
            return Err(AuthError::SignInExpired);
        };
        let body: MfaBody = serde_json::from_str(&body)
            .map_err(|_| AuthError::Internal("the stored pending sign-in could not be parsed"))?;
        let known = self
            .0
            .passwords()
            .active_credentials(&username)
            .await?
            .filter(|known| known.account.epoch == body.era);
        let account = known.ok_or(AuthError::SignInExpired)?.account;
        let available_factors = self.factor_kinds(&username).await?;
        let methods_so_far = AuthMethods::parse(&body.methods);
        Ok(PendingSignIn {
            token_hash: hash,
            account,
            available_factors,
            methods_so_far,
            proved_at: body.proved_at,
        })
    }

    /// Completes the sign-in with a code. A wrong code leaves the challenge open.
    ///
    /// # Errors
    /// [`AuthError::SecondFactorInvalid`], [`AuthError::Throttled`], [`AuthError::SignInExpired`].
    pub async fn submit_second_factor(
        self,
        token: &str,
        code: OneTimeCode,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let pending = self.pending_sign_in(token).await?;
        // Detached, so that a client that disconnects is still charged for the attempt.
        let auth = self.0.auth();
        let done = tokio::spawn(async move {
            let second = auth
                .factors()
                .verify_code(&pending.account, &code, &from)
                .await?;
            let second = second.ok_or(AuthError::SecondFactorInvalid)?;
            auth.factors()
                .complete_mfa(pending, AuthMethods::of(&[second]), from)
                .await
        });
        done.await
            .unwrap_or(Err(AuthError::Internal("the sign-in task panicked")))
    }

    /// Consumes the challenge and starts the session.
    pub(crate) async fn complete_mfa(
        self,
        pending: PendingSignIn,
        second: AuthMethods,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let now = self.0.core.clock.now();
        let consumed = self
            .0
            .core
            .store
            .consume_token(OneTimeKind::SecondFactor, &pending.token_hash, now)
            .await?;
        consumed.ok_or(AuthError::SignInExpired)?;
        let username = &pending.account.username;
        let new_session = NewSession {
            // The provider's `auth_time` counts, unless the second factor is a passkey with user
            // verification: that is a recent sign-in by itself.
            auth_time: pending.proved_at.filter(|_| !second.is_multi_factor()),
            ..NewSession::interactive(SessionKind::Web, pending.methods_so_far.union(second), from)
        };
        let (session, secret) = self
            .0
            .sessions()
            .create_session(&pending.account, new_session)
            .await?
            .ok_or(AuthError::SignInExpired)?;
        metrics::counter!("strongroom_sign_ins_total", "outcome" => "signed_in").increment(1);
        let rights = self
            .0
            .sessions()
            .rights(username)
            .await?
            .ok_or(AuthError::SignInExpired)?;
        Ok(SignedIn {
            caller: self
                .0
                .sessions()
                .caller_for(rights, Arc::new(session), AuthVia::Cookie),
            secret,
        })
    }
}
