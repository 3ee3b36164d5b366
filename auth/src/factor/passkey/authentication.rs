//! Assertions with a passkey: sign-in and step-up. Every rejection gets the same answer.
//!
//! A key cannot be guessed, and its id is public. A failed assertion must not lock out the owner,
//! so it is charged to the network only, and only after the signature proved invalid.

use webauthn_rs::prelude::AuthenticationResult;

use super::{
    PasskeyChallenge, PasskeyError, PasskeyResponse, StoredPasskey,
    ceremony::{CeremonyBinding, CeremonyState, PendingPasskeySignIn, ReplayMarker},
    factor_id,
    relying_party::{Assertion, AssertionError},
};
use crate::{
    Account, AccountStatus, AuthError, AuthMethod, AuthMethods, AuthStore, Factor, FactorKind,
    Origin, Passkeys, SecurityNotice, SessionKind, Token, TokenKind, Username,
    error::{FactorError, SignInError},
    session::create::{NewSession, SignedIn},
    throttle::CredentialKind,
};

/// The device verified its user: possession, and knowledge or biometrics, in one step.
pub(crate) const METHODS: [AuthMethod; 2] = [AuthMethod::Passkey, AuthMethod::UserVerified];

/// Retries of a compare-and-swap that parallel uses of the same key have won.
const MAX_RETRIES: usize = 5;

impl<S: AuthStore> Passkeys<'_, S> {
    /// Creates options for a discoverable passkey. They are the same for every user.
    ///
    /// The result is valid only together with the browser's token; `browser` is the token that it
    /// already has.
    ///
    /// # Errors
    /// [`PasskeyError::Unavailable`].
    pub fn start_sign_in(
        self,
        browser: Option<Token>,
    ) -> Result<(PasskeyChallenge, Token), AuthError> {
        let browser = browser.unwrap_or_else(|| Token::random(TokenKind::Flow, &self.0.core.rng));
        let (options, state) = self.relying_party()?.start_discoverable()?;
        Ok((
            PasskeyChallenge {
                ceremony: self.seal_sign_in(state, &browser)?,
                options,
            },
            browser,
        ))
    }

    /// Starts a web session for the passkey's owner. `browser` is the token that came with the
    /// options.
    ///
    /// # Errors
    /// [`PasskeyError::Rejected`], [`PasskeyError::CeremonyExpired`], [`PasskeyError::Malformed`],
    /// `ThrottleError::Throttled`.
    pub async fn finish_sign_in_with_passkey(
        self,
        response: PasskeyResponse<'_>,
        browser: &Token,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let assertion = Assertion::parse(response.credential)?;
        let sign_in = self.open_sign_in(response.ceremony, browser)?;
        // The passkey is found without a username, so its user handle must match.
        let stored = self
            .stored_passkey(&assertion)
            .await?
            .filter(|stored| assertion.user_handle_matches(stored.body.handle) == Some(true));
        let result = match &stored {
            Some(stored) => {
                self.complete_passkey(&assertion, sign_in, stored, &from)
                    .await
            }
            None => Err(PasskeyError::Rejected.into()),
        };
        if let Err(AuthError::Factor(FactorError::Passkey(PasskeyError::Rejected))) = result {
            let account = stored.as_ref().map(|stored| &stored.factor.username);
            self.0
                .throttling()
                .penalize(CredentialKind::Passkey, &from, account)
                .await?;
        }
        result
    }

    async fn complete_passkey(
        self,
        assertion: &Assertion,
        PendingPasskeySignIn { marker, state }: PendingPasskeySignIn,
        stored: &StoredPasskey,
        from: &Origin,
    ) -> Result<SignedIn, AuthError> {
        // Checked before the counter: a replayed response is no sign of a cloned key.
        if stored.body.ended.contains(&marker) {
            return Err(PasskeyError::CeremonyExpired.into());
        }
        let checked =
            self.relying_party()?
                .finish_discoverable(assertion, state, &stored.body.passkey);
        let (account, result) = self.check_clone(stored, checked, from).await?;
        if account
            .epoch
            .changed_between(marker.started_at(), self.0.core.clock.now())
        {
            return Err(PasskeyError::CeremonyExpired.into());
        }
        // No sign-in method works until a reset link has set a new password.
        if account.must_change_password {
            return Err(AuthError::SignIn(SignInError::PasswordChangeRequired));
        }
        self.record_use(&stored.factor, &result, Some(marker))
            .await?;
        self.sign_in_account(&account, from.clone()).await
    }

    /// Options for any passkey of the account.
    ///
    /// # Errors
    /// [`PasskeyError::NotRegistered`] if the account has none.
    pub(crate) async fn start_assertion(
        self,
        of: &Username,
        binding: CeremonyBinding,
    ) -> Result<PasskeyChallenge, AuthError> {
        let relying_party = self.relying_party()?;
        let known: Vec<_> = self
            .stored_passkeys(of)
            .await?
            .into_iter()
            .map(|stored| stored.body.passkey)
            .collect();
        if known.is_empty() {
            return Err(PasskeyError::NotRegistered.into());
        }
        let (options, state) = relying_party.start_authentication(&known)?;
        let ceremony = self
            .store_ceremony(binding, of, CeremonyState::Prove(state))
            .await?;
        Ok(PasskeyChallenge { ceremony, options })
    }

    /// Verifies the response and returns the methods that it proves.
    ///
    /// # Errors
    /// As `finish_sign_in_with_passkey`.
    pub(crate) async fn finish_assertion(
        self,
        of: &Username,
        response: PasskeyResponse<'_>,
        binding: &CeremonyBinding,
        from: &Origin,
    ) -> Result<AuthMethods, AuthError> {
        let assertion = Assertion::parse(response.credential)?;
        let CeremonyState::Prove(state) = self.consume_ceremony(response.ceremony, binding).await?
        else {
            return Err(PasskeyError::CeremonyExpired.into());
        };
        let is_theirs = |stored: &StoredPasskey| {
            stored.factor.username == *of
                && assertion.user_handle_matches(stored.body.handle) != Some(false)
        };
        let stored = self.stored_passkey(&assertion).await?.filter(is_theirs);
        let result = match &stored {
            Some(stored) => {
                self.is_still_registered(
                    stored,
                    self.relying_party()?
                        .finish_authentication(&assertion, &state),
                    from,
                )
                .await
            }
            None => Err(PasskeyError::Rejected.into()),
        };
        if let Err(AuthError::Factor(FactorError::Passkey(PasskeyError::Rejected))) = result {
            self.0
                .throttling()
                .penalize(CredentialKind::Passkey, from, Some(of))
                .await?;
        }
        result.map(|()| AuthMethods::of(&METHODS))
    }

    async fn stored_passkey(
        self,
        assertion: &Assertion,
    ) -> Result<Option<StoredPasskey>, AuthError> {
        let factor = self.0.core.store.factor(&factor_id(assertion.id())).await?;
        factor
            .filter(|factor| factor.kind == FactorKind::Passkey)
            .map(StoredPasskey::parse)
            .transpose()
    }

    async fn is_still_registered(
        self,
        stored: &StoredPasskey,
        checked: Result<AuthenticationResult, AssertionError>,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let (_, result) = self.check_clone(stored, checked, from).await?;
        self.record_use(&stored.factor, &result, None).await
    }

    /// Returns the owner if the result is valid. Reports a cloned key.
    async fn check_clone(
        self,
        stored: &StoredPasskey,
        checked: Result<AuthenticationResult, AssertionError>,
        from: &Origin,
    ) -> Result<(Account, AuthenticationResult), AuthError> {
        let known = self
            .0
            .core
            .store
            .credentials(&stored.factor.username)
            .await?;
        let account = known
            .map(|known| known.account)
            .filter(|account| account.status == AccountStatus::Active);
        let account = account.ok_or(PasskeyError::Rejected)?;
        match checked {
            Ok(result) if result.user_verified() => Ok((account, result)),
            Ok(_) | Err(AssertionError::Invalid) => Err(PasskeyError::Rejected.into()),
            Err(AssertionError::Cloned) => {
                tracing::warn!(username = %account.username, "signature counter of a passkey went back; it may be cloned");
                self.0
                    .mail()
                    .audit_and_notify_about(
                        &account,
                        SecurityNotice::PasskeyCloned,
                        &stored.factor.name,
                        from,
                    )
                    .await?;
                Err(PasskeyError::Rejected.into())
            }
        }
    }

    /// Stores the counter and the replay marker. Of any number of parallel responses with one
    /// marker, one succeeds.
    ///
    /// Another parallel use of the same key does not fail this one; synchronized passkeys do not
    /// count.
    async fn record_use(
        self,
        factor: &Factor,
        result: &AuthenticationResult,
        marker: Option<ReplayMarker>,
    ) -> Result<(), AuthError> {
        let (counter, now) = (i64::from(result.counter()), self.0.core.clock.now());
        let mut factor = factor.clone();
        for _ in 0..MAX_RETRIES {
            let StoredPasskey {
                mut body,
                factor: read,
            } = StoredPasskey::parse(factor)?;
            if marker
                .as_ref()
                .is_some_and(|marker| body.ended.contains(marker))
            {
                return Err(PasskeyError::CeremonyExpired.into());
            }
            if counter > 0 && counter <= read.counter {
                return Err(PasskeyError::Rejected.into());
            }
            body.passkey.update_credential(result);
            body.ended.retain(|marker| now < marker.until);
            body.ended.extend(marker.clone());
            if self
                .0
                .core
                .store
                .update_factor_if(&read, body.to_json()?, counter, now)
                .await?
            {
                return Ok(());
            }
            factor = self
                .0
                .core
                .store
                .factor(&read.id)
                .await?
                .ok_or(PasskeyError::Rejected)?;
        }
        Err(PasskeyError::Rejected.into())
    }

    /// `account` was read before the passkey. If the passkey is removed in between, the session does
    /// not start.
    async fn sign_in_account(self, account: &Account, from: Origin) -> Result<SignedIn, AuthError> {
        let new_session =
            NewSession::interactive(SessionKind::Web, AuthMethods::of(&METHODS), from);
        let signed_in = self.0.sessions().start(account, new_session).await?;
        Ok(signed_in.ok_or(PasskeyError::Rejected)?)
    }
}
