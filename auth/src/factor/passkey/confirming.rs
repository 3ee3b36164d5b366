//! A passkey where somebody is known by then: after the password, and to confirm that it is still them.

use super::{Answered, Asked, PasskeyError, ceremony::Bound};
use crate::{Auth, AuthError, AuthStore, Caller, Origin, auth::SignedIn};

impl<S: AuthStore> Auth<S> {
    /// For a sign-in that waits for its second factor.
    ///
    /// # Errors
    /// [`AuthError::SignInOver`]; [`PasskeyError::NoneSuch`] where the account has none.
    pub async fn passkey_to_go_on(&self, half_way: &str) -> Result<Asked, AuthError> {
        let waiting = self.half_way(half_way).await?;
        self.passkey_to_prove(&waiting.account.username, Bound::to_pending(&waiting.slip))
            .await
    }

    /// The second step with a passkey. A wrong one leaves the sign-in waiting.
    ///
    /// # Errors
    /// [`PasskeyError::Refused`], [`PasskeyError::Over`], [`AuthError::SignInOver`], [`AuthError::Throttled`].
    pub async fn second_step_with_passkey(
        &self,
        half_way: &str,
        answered: Answered<'_>,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let waiting = self.half_way(half_way).await?;
        let bound = Bound::to_pending(&waiting.slip);
        let proved = self
            .prove_passkey(&waiting.account.username, answered, &bound, &from)
            .await?;
        self.go_in(waiting, proved, from).await
    }

    /// # Errors
    /// [`PasskeyError::NoneSuch`] where the account has none.
    pub async fn passkey_to_step_up(&self, caller: &Caller) -> Result<Asked, AuthError> {
        self.passkey_to_prove(&caller.account().username, Bound::to_session(caller))
            .await
    }

    /// In place of the password and a code: the device has checked its user.
    ///
    /// # Errors
    /// [`PasskeyError::NotConfirmed`], [`PasskeyError::Over`], [`AuthError::Throttled`].
    pub async fn step_up_with_passkey(
        &self,
        caller: &Caller,
        answered: Answered<'_>,
        from: &Origin,
    ) -> Result<Caller, AuthError> {
        let proved = self
            .prove_passkey(
                &caller.account().username,
                answered,
                &Bound::to_session(caller),
                from,
            )
            .await;
        let proved = proved.map_err(|error| match error {
            // The session is as good as before.
            AuthError::Passkey(PasskeyError::Refused) => PasskeyError::NotConfirmed.into(),
            other => other,
        })?;
        self.renew(caller, proved).await
    }
}
