//! A passkey of a known account: as the second factor, and for step-up.

use super::{PasskeyChallenge, PasskeyError, PasskeyResponse, ceremony::CeremonyBinding};
use crate::{
    AuthError, AuthStore, Caller, Origin, Passkeys, error::FactorError, session::create::SignedIn,
};

impl<S: AuthStore> Passkeys<'_, S> {
    /// Options for a sign-in that waits for its second factor.
    ///
    /// # Errors
    /// `SignInError::SignInExpired`; [`PasskeyError::NotRegistered`] if the account has none.
    pub async fn start_passkey_mfa(self, token: &str) -> Result<PasskeyChallenge, AuthError> {
        let pending = self.0.factors().pending_sign_in(token).await?;
        self.start_assertion(
            &pending.account.username,
            CeremonyBinding::for_mfa(&pending.token_hash),
        )
        .await
    }

    /// Completes the second step with a passkey. A rejected passkey leaves the sign-in pending.
    ///
    /// # Errors
    /// [`PasskeyError::Rejected`], [`PasskeyError::CeremonyExpired`], `SignInError::SignInExpired`,
    /// `ThrottleError::Throttled`.
    pub async fn finish_passkey_mfa(
        self,
        token: &str,
        response: PasskeyResponse<'_>,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let pending = self.0.factors().pending_sign_in(token).await?;
        let binding = CeremonyBinding::for_mfa(&pending.token_hash);
        let proved = self
            .finish_assertion(&pending.account.username, response, &binding, &from)
            .await?;
        self.0.factors().complete_mfa(pending, proved, from).await
    }

    /// # Errors
    /// [`PasskeyError::NotRegistered`] if the account has none.
    pub async fn start_passkey_step_up(
        self,
        caller: &Caller,
    ) -> Result<PasskeyChallenge, AuthError> {
        self.start_assertion(
            &caller.account().username,
            CeremonyBinding::for_session(caller),
        )
        .await
    }

    /// Step-up in place of the password and a code: the device has verified its user.
    ///
    /// # Errors
    /// [`PasskeyError::NotConfirmed`], [`PasskeyError::CeremonyExpired`], `ThrottleError::Throttled`.
    pub async fn finish_passkey_step_up(
        self,
        caller: &Caller,
        response: PasskeyResponse<'_>,
        from: &Origin,
    ) -> Result<Caller, AuthError> {
        let proved = self
            .finish_assertion(
                &caller.account().username,
                response,
                &CeremonyBinding::for_session(caller),
                from,
            )
            .await;
        let proved = proved.map_err(|error| match error {
            // The session stays valid.
            AuthError::Factor(FactorError::Passkey(PasskeyError::Rejected)) => {
                PasskeyError::NotConfirmed.into()
            }
            other => other,
        })?;
        self.0.sessions().mark_recent(caller, proved).await
    }
}
