//! A passkey where somebody is known by then: after the password, and to confirm that it is still them.

use super::{PasskeyResponse, PasskeyChallenge, PasskeyError, ceremony::CeremonyBinding};
use crate::{Auth, AuthError, AuthStore, Caller, Origin, auth::SignedIn};

impl<S: AuthStore> Auth<S> {
    /// For a sign-in that waits for its second factor.
    ///
    /// # Errors
    /// [`AuthError::SignInOver`]; [`PasskeyError::NoneSuch`] where the account has none.
    pub async fn start_passkey_mfa(&self, half_way: &str) -> Result<PasskeyChallenge, AuthError> {
        let waiting = self.pending_sign_in(half_way).await?;
        self.start_assertion(&waiting.account.username, CeremonyBinding::for_mfa(&waiting.slip))
            .await
    }

    /// The second step with a passkey. A wrong one leaves the sign-in waiting.
    ///
    /// # Errors
    /// [`PasskeyError::Refused`], [`PasskeyError::Over`], [`AuthError::SignInOver`], [`AuthError::Throttled`].
    pub async fn finish_passkey_mfa(
        &self,
        half_way: &str,
        answered: PasskeyResponse<'_>,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let waiting = self.pending_sign_in(half_way).await?;
        let bound = CeremonyBinding::for_mfa(&waiting.slip);
        let proved = self
            .finish_assertion(&waiting.account.username, answered, &bound, &from)
            .await?;
        self.complete_mfa(waiting, proved, from).await
    }

    /// # Errors
    /// [`PasskeyError::NoneSuch`] where the account has none.
    pub async fn start_passkey_step_up(&self, caller: &Caller) -> Result<PasskeyChallenge, AuthError> {
        self.start_assertion(&caller.account().username, CeremonyBinding::to_session(caller))
            .await
    }

    /// In place of the password and a code: the device has checked its user.
    ///
    /// # Errors
    /// [`PasskeyError::NotConfirmed`], [`PasskeyError::Over`], [`AuthError::Throttled`].
    pub async fn finish_passkey_step_up(
        &self,
        caller: &Caller,
        answered: PasskeyResponse<'_>,
        from: &Origin,
    ) -> Result<Caller, AuthError> {
        let proved = self
            .finish_assertion(
                &caller.account().username,
                answered,
                &CeremonyBinding::to_session(caller),
                from,
            )
            .await;
        let proved = proved.map_err(|error| match error {
            // The session is as good as before.
            AuthError::Passkey(PasskeyError::Refused) => PasskeyError::NotConfirmed.into(),
            other => other,
        })?;
        self.mark_recent(caller, proved).await
    }
}
