//! Sign-in on the page in two steps: password, then second factor. The state between them is a
//! [one-time token](crate::store::OneTimeToken); the browser holds its secret in a cookie. The
//! password is not stored.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Account, AuthError, AuthMethods, AuthStore, FactorKinds, Factors, OneTimeCode, Origin,
    SecurityEpoch, SessionKind, Token, TokenHash, TokenKind,
    detached::detached,
    error::SignInError,
    session::create::{NewSession, SignedIn},
    store::{
        Credentials, OneTimeKind,
        one_time::{OneTime, StoredToken},
    },
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

impl OneTime for MfaBody {
    const KIND: OneTimeKind = OneTimeKind::SecondFactor;
    const LIFETIME: Duration = CHALLENGE_LIFETIME;
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
        let token = Token::random(TokenKind::Flow, &self.0.core.rng);
        let body = MfaBody {
            methods: first.to_string(),
            era: known.account.epoch,
            proved_at,
        };
        let (owner, now) = (&known.account.username, self.0.core.clock.now());
        self.0
            .core
            .one_time()
            .insert(&body, token.hash(), Some(owner), now)
            .await?;
        Ok(MfaChallenge {
            token,
            expires_in: CHALLENGE_LIFETIME,
        })
    }

    /// # Errors
    /// `SignInError::SignInExpired` for an unknown, used or expired token.
    pub async fn pending_sign_in(self, token: &str) -> Result<PendingSignIn, AuthError> {
        let hash = Token::parse(TokenKind::Flow, token)
            .ok_or(AuthError::SignIn(SignInError::SignInExpired))?
            .hash();
        let found = self.0.core.one_time().find::<MfaBody>(&hash).await?;
        let StoredToken { row, body } = found.ok_or(SignInError::SignInExpired)?;
        let username = row.username.ok_or(SignInError::SignInExpired)?;
        let known = self
            .0
            .passwords()
            .active_credentials(&username)
            .await?
            .filter(|known| known.account.epoch == body.era);
        let account = known
            .ok_or(AuthError::SignIn(SignInError::SignInExpired))?
            .account;
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
    /// `SignInError::SecondFactorInvalid`, `ThrottleError::Throttled`, `SignInError::SignInExpired`.
    pub async fn submit_second_factor(
        self,
        token: &str,
        code: OneTimeCode,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let pending = self.pending_sign_in(token).await?;
        let auth = self.0.auth();
        detached(async move {
            let second = auth
                .factors()
                .verify_code(&pending.account, &code, &from)
                .await?;
            let second = second.ok_or(AuthError::SignIn(SignInError::SecondFactorInvalid))?;
            auth.factors()
                .complete_mfa(pending, AuthMethods::of(&[second]), from)
                .await
        })
        .await
    }

    /// Consumes the challenge and starts the session.
    pub(crate) async fn complete_mfa(
        self,
        pending: PendingSignIn,
        second: AuthMethods,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let consumed = self
            .0
            .core
            .one_time()
            .consume::<MfaBody>(&pending.token_hash)
            .await?;
        consumed.ok_or(AuthError::SignIn(SignInError::SignInExpired))?;
        let new_session = NewSession {
            // The provider's `auth_time` counts, unless the second factor is a passkey with user
            // verification: that is a recent sign-in by itself.
            auth_time: pending.proved_at.filter(|_| !second.is_multi_factor()),
            ..NewSession::interactive(SessionKind::Web, pending.methods_so_far.union(second), from)
        };
        let signed_in = self
            .0
            .sessions()
            .start(&pending.account, new_session)
            .await?
            .ok_or(SignInError::SignInExpired)?;
        metrics::counter!("strongroom_sign_ins_total", "outcome" => "signed_in").increment(1);
        Ok(signed_in)
    }
}
