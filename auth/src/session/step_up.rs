//! Confirming that it is still oneself (RFC 9470): what the account signs in with, shown again by a live session.

use std::sync::Arc;

use secrecy::SecretString;

use crate::{
    Auth, AuthError, AuthMethod, AuthMethods, AuthStore, Caller, Origin,
    access::policy::AuthVia,
    session::sign_in::SignInProof,
    store::StepUpRenewal,
    throttle::{Attempt, CredentialKind},
};

/// An access token that tells of the newer sign-in.
#[derive(Debug)]
pub struct RenewedAccess {
    pub token: SecretString,
    pub expires_in: std::time::Duration,
}

impl<S: AuthStore> Auth<S> {
    /// The password, and a code where the account has a second factor: the session counts as signed in just now, on
    /// every node.
    ///
    /// # Errors
    /// [`AuthError::WrongCurrentPassword`], [`AuthError::WrongCode`], [`AuthError::SecondFactorNeeded`],
    /// [`AuthError::Throttled`], [`AuthError::InvalidToken`] where the session has ended meanwhile.
    pub async fn step_up(
        &self,
        caller: &Caller,
        proof: SignInProof,
        from: &Origin,
    ) -> Result<Caller, AuthError> {
        self.verify_own_password(caller, proof.password, from)
            .await?;
        let mut methods = AuthMethods::of(&[AuthMethod::Password]);
        if caller.factors().is_enrolled() {
            let code = proof.code.ok_or(AuthError::SecondFactorRequired)?;
            let second = self.verify_code(caller.account(), &code, from).await?;
            methods = methods.with(second.ok_or(AuthError::InvalidCode)?);
        }
        self.mark_recent(caller, methods).await
    }

    /// The caller has just shown `shown`.
    pub(crate) async fn mark_recent(
        &self,
        caller: &Caller,
        added: AuthMethods,
    ) -> Result<Caller, AuthError> {
        let (username, session) = (&caller.account().username, caller.session());
        let methods = session.methods.union(added);
        let (by, epoch, session) = (caller.actor(), caller.account().epoch, session.id.clone());
        let renewal = StepUpRenewal {
            by,
            epoch,
            session,
            methods,
            at: self.0.clock.now(),
        };
        let renewed = self.0.store.renew_session(renewal).await?;
        self.invalidate(username);
        if renewed {
            self.revalidate(caller).await
        } else {
            Err(AuthError::InvalidToken)
        }
    }

    /// For callers with an access token: one with the new `auth_time`. The old one stays good.
    pub fn reissue_access_token(
        &self,
        caller: &Caller,
    ) -> Result<Option<RenewedAccess>, AuthError> {
        if caller.via() != AuthVia::Bearer {
            return Ok(None);
        }
        let issued =
            self.0
                .access_tokens
                .issue(caller.session(), self.0.clock.now(), &self.0.rng)?;
        Ok(Some(RenewedAccess {
            token: issued.token,
            expires_in: issued.expires_in,
        }))
    }

    async fn verify_own_password(
        &self,
        caller: &Caller,
        password: crate::Password,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let username = &caller.account().username;
        let guard = self
            .begin_attempt(&Attempt {
                kind: CredentialKind::Password,
                account: Some(username),
                from,
            })
            .await?;
        let known = self
            .0
            .store
            .credentials(username)
            .await?
            .ok_or(AuthError::InvalidToken)?;
        if !self
            .0
            .hasher
            .verify(&Arc::new(password), &known.password)
            .await?
        {
            self.failed(guard).await?;
            return Err(AuthError::WrongCurrentPassword);
        }
        self.succeeded(guard).await
    }
}
