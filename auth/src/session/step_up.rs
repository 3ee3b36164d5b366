//! Step-up authentication (RFC 9470): a live session presents the account's credentials again.

use std::sync::Arc;

use secrecy::SecretString;

use crate::{
    AuthError, AuthMethod, AuthMethods, AuthStore, Caller, Origin, Sessions,
    access::policy::AuthVia,
    error::{AccessError, SignInError},
    session::sign_in::SignInProof,
    store::StepUpRenewal,
    throttle::{Attempt, CredentialKind},
};

/// An access token with a new `auth_time`.
#[derive(Debug)]
pub struct RenewedAccess {
    pub token: SecretString,
    pub expires_in: std::time::Duration,
}

impl<S: AuthStore> Sessions<'_, S> {
    /// Verifies the password, and a code if the account has a second factor. `auth_time` of the
    /// session becomes now, on every node.
    ///
    /// # Errors
    /// `SignInError::WrongCurrentPassword`, `SignInError::InvalidCode`,
    /// `SignInError::SecondFactorRequired`, `ThrottleError::Throttled`; `AccessError::InvalidToken`
    /// if the session has ended meanwhile.
    pub async fn step_up(
        self,
        caller: &Caller,
        proof: SignInProof,
        from: &Origin,
    ) -> Result<Caller, AuthError> {
        self.verify_own_password(caller, proof.password, from)
            .await?;
        let mut methods = AuthMethods::of(&[AuthMethod::Password]);
        if caller.factors().is_enrolled() {
            let code = proof
                .code
                .ok_or(AuthError::SignIn(SignInError::SecondFactorRequired))?;
            let second = self
                .0
                .factors()
                .verify_code(caller.account(), &code, from)
                .await?;
            methods = methods.with(second.ok_or(AuthError::SignIn(SignInError::InvalidCode))?);
        }
        self.mark_recent(caller, methods).await
    }

    /// Sets `auth_time` to now and adds the methods in `added`.
    pub(crate) async fn mark_recent(
        self,
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
            at: self.0.core.clock.now(),
        };
        let renewed = self.0.core.store.renew_session(renewal).await?;
        self.0.invalidate(username);
        if renewed {
            self.revalidate(caller).await
        } else {
            Err(AuthError::Access(AccessError::InvalidToken))
        }
    }

    /// Issues an access token with the new `auth_time` to bearer callers. The old token stays valid
    /// until it expires.
    pub fn reissue_access_token(self, caller: &Caller) -> Result<Option<RenewedAccess>, AuthError> {
        if caller.via() != AuthVia::Bearer {
            return Ok(None);
        }
        let issued = self.0.sessions.access_tokens.issue(
            caller.session(),
            caller.effective_scopes(),
            self.0.core.clock.now(),
            &self.0.core.rng,
        )?;
        Ok(Some(RenewedAccess {
            token: issued.token,
            expires_in: issued.expires_in,
        }))
    }

    async fn verify_own_password(
        self,
        caller: &Caller,
        password: crate::Password,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let username = &caller.account().username;
        let guard = self
            .0
            .throttling()
            .begin_attempt(&Attempt {
                kind: CredentialKind::Password,
                account: Some(username),
                from,
            })
            .await?;
        let known = self
            .0
            .core
            .store
            .credentials(username)
            .await?
            .ok_or(AuthError::Access(AccessError::InvalidToken))?;
        if !self
            .0
            .hasher
            .verify(&Arc::new(password), &known.password)
            .await?
        {
            self.0.throttling().failed(guard).await?;
            return Err(AuthError::SignIn(SignInError::WrongCurrentPassword));
        }
        self.0.throttling().succeeded(guard).await
    }
}
