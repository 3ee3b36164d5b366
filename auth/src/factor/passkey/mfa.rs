//! A passkey where somebody is known by then: after the password, and to confirm that it is still them.

use super::{PasskeyChallenge, PasskeyError, PasskeyResponse, ceremony::CeremonyBinding};
use crate::{Auth, AuthError, AuthStore, Caller, Origin, service::SignedIn};

impl<S: AuthStore> Auth<S> {
    /// For a sign-in that waits for its second factor.
    ///
    /// # Errors
    /// [`AuthError::SignInOver`]; [`PasskeyError::NoneSuch`] where the account has none.
    pub async fn start_passkey_mfa(&self, token: &str) -> Result<PasskeyChallenge, AuthError> {
        let pending = self.pending_sign_in(token).await?;
        self.start_assertion(
            &pending.account.username,
            CeremonyBinding::for_mfa(&pending.token_hash),
        )
        .await
    }

    /// The second step with a passkey. A wrong one leaves the sign-in waiting.
    ///
    /// # Errors
    /// [`PasskeyError::Refused`], [`PasskeyError::Over`], [`AuthError::SignInOver`], [`AuthError::Throttled`].
    pub async fn finish_passkey_mfa(
        &self,
        token: &str,
        response: PasskeyResponse<'_>,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let pending = self.pending_sign_in(token).await?;
        let binding = CeremonyBinding::for_mfa(&pending.token_hash);
        let proved = self
            .finish_assertion(&pending.account.username, response, &binding, &from)
            .await?;
        self.complete_mfa(pending, proved, from).await
    }

    /// # Errors
    /// [`PasskeyError::NoneSuch`] where the account has none.
    pub async fn start_passkey_step_up(
        &self,
        caller: &Caller,
    ) -> Result<PasskeyChallenge, AuthError> {
        self.start_assertion(
            &caller.account().username,
            CeremonyBinding::for_session(caller),
        )
        .await
    }

    /// In place of the password and a code: the device has checked its user.
    ///
    /// # Errors
    /// [`PasskeyError::NotConfirmed`], [`PasskeyError::Over`], [`AuthError::Throttled`].
    pub async fn finish_passkey_step_up(
        &self,
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
            // The session is as good as before.
            AuthError::Passkey(PasskeyError::Rejected) => PasskeyError::NotConfirmed.into(),
            other => other,
        })?;
        self.mark_recent(caller, proved).await
    }
}
