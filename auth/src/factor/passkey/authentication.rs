//! What is proved with a passkey: who signs in, and that it is still the same person. Whatever is wrong with one is
//! answered alike. A key cannot be guessed, and its id is no secret: who fails with somebody's passkey must not lock them
//! out, so only the address is charged, and only once the signature has turned out to be wrong.

use std::sync::Arc;

use webauthn_rs::prelude::AuthenticationResult;

use super::PasskeyError;
use super::{
    PasskeyChallenge, PasskeyResponse, StoredPasskey,
    ceremony::{CeremonyBinding, CeremonyState, PendingPasskeySignIn, ReplayMarker},
    factor_id,
    relying_party::{Assertion, AssertionError},
};
use crate::{
    Account, AccountStatus, Auth, AuthError, AuthMethod, AuthMethods, AuthStore, Factor,
    FactorKind, Origin, SecurityNotice, SessionKind, Token, TokenKind, Username,
    access::policy::AuthVia, service::SignedIn, session::create::NewSession,
    throttle::CredentialKind,
};

/// The device has checked its user: possession and knowledge (or a body) at once.
pub(crate) const METHODS: [AuthMethod; 2] = [AuthMethod::Passkey, AuthMethod::UserVerified];

/// Who meets others at the same key so often gives up.
const MAX_RETRIES: usize = 5;

impl<S: AuthStore> Auth<S> {
    /// The same for everybody, whoever may be about to sign in: there is no name to try. The answer is good together
    /// with the token, which is for the browser to keep; `browser` is the one that it kept from an earlier time.
    ///
    /// # Errors
    /// [`PasskeyError::Unavailable`].
    pub fn start_sign_in(
        &self,
        browser: Option<Token>,
    ) -> Result<(PasskeyChallenge, Token), AuthError> {
        let browser = browser.unwrap_or_else(|| Token::random(TokenKind::Flow, &self.0.rng));
        let (options, state) = self.relying_party()?.start_discoverable()?;
        Ok((
            PasskeyChallenge {
                ceremony: self.seal_sign_in(state, &browser)?,
                options,
            },
            browser,
        ))
    }

    /// A web session for whoever the passkey belongs to. `browser` is the token that came with the options.
    ///
    /// # Errors
    /// [`PasskeyError::Refused`], [`PasskeyError::Over`], [`PasskeyError::Bad`], [`AuthError::Throttled`].
    pub async fn finish_sign_in_with_passkey(
        &self,
        response: PasskeyResponse<'_>,
        browser: &Token,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let assertion = Assertion::parse(response.credential)?;
        let sign_in = self.open_sign_in(response.ceremony, browser)?;
        // Found without a name, so it has to say whose it is.
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
        if let Err(AuthError::Passkey(PasskeyError::Rejected)) = result {
            let account = stored.as_ref().map(|stored| &stored.factor.username);
            self.penalize(CredentialKind::Passkey, &from, account)
                .await?;
        }
        result
    }

    async fn complete_passkey(
        &self,
        assertion: &Assertion,
        PendingPasskeySignIn { marker, state }: PendingPasskeySignIn,
        stored: &StoredPasskey,
        from: &Origin,
    ) -> Result<SignedIn, AuthError> {
        // Before the counter is looked at: the same again is no copy of the key.
        if stored.body.ended.contains(&marker) {
            return Err(PasskeyError::CeremonyExpired.into());
        }
        let checked =
            self.relying_party()?
                .finish_discoverable(assertion, state, &stored.body.passkey);
        let (account, result) = self.check_clone(stored, checked, from).await?;
        if account
            .epoch
            .changed_between(marker.started_at(), self.0.clock.now())
        {
            return Err(PasskeyError::CeremonyExpired.into());
        }
        // Nobody comes in before a link has set a new password, whatever way they come.
        if account.must_change_password {
            return Err(AuthError::PasswordChangeRequired);
        }
        self.record_use(&stored.factor, &result, Some(marker))
            .await?;
        self.sign_in_account(&account, from.clone()).await
    }

    /// Any of somebody's own, to prove that it is them.
    ///
    /// # Errors
    /// [`PasskeyError::NoneSuch`] where they have none.
    pub(crate) async fn start_assertion(
        &self,
        of: &Username,
        binding: CeremonyBinding,
    ) -> Result<PasskeyChallenge, AuthError> {
        let party = self.relying_party()?;
        let known: Vec<_> = self
            .stored_passkeys(of)
            .await?
            .into_iter()
            .map(|stored| stored.body.passkey)
            .collect();
        if known.is_empty() {
            return Err(PasskeyError::NotRegistered.into());
        }
        let (options, state) = party.start_authentication(&known)?;
        let ceremony = self
            .store_ceremony(binding, of, CeremonyState::Prove(state))
            .await?;
        Ok(PasskeyChallenge { ceremony, options })
    }

    /// What `of` has proved with it.
    ///
    /// # Errors
    /// As [`sign_in_with_passkey`](Self::sign_in_with_passkey).
    pub(crate) async fn finish_assertion(
        &self,
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
        if let Err(AuthError::Passkey(PasskeyError::Rejected)) = result {
            self.penalize(CredentialKind::Passkey, from, Some(of))
                .await?;
        }
        result.map(|()| AuthMethods::of(&METHODS))
    }

    async fn stored_passkey(
        &self,
        assertion: &Assertion,
    ) -> Result<Option<StoredPasskey>, AuthError> {
        let factor = self.0.store.factor(&factor_id(assertion.id())).await?;
        factor
            .filter(|factor| factor.kind == FactorKind::Passkey)
            .map(StoredPasskey::parse)
            .transpose()
    }

    async fn is_still_registered(
        &self,
        stored: &StoredPasskey,
        checked: Result<AuthenticationResult, AssertionError>,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let (_, result) = self.check_clone(stored, checked, from).await?;
        self.record_use(&stored.factor, &result, None).await
    }

    /// The owner, if all is well.
    async fn check_clone(
        &self,
        stored: &StoredPasskey,
        checked: Result<AuthenticationResult, AssertionError>,
        from: &Origin,
    ) -> Result<(Account, AuthenticationResult), AuthError> {
        let known = self.0.store.credentials(&stored.factor.username).await?;
        let account = known
            .map(|known| known.account)
            .filter(|account| account.status == AccountStatus::Active);
        let account = account.ok_or(PasskeyError::Rejected)?;
        match checked {
            Ok(result) if result.user_verified() => Ok((account, result)),
            Ok(_) | Err(AssertionError::Invalid) => Err(PasskeyError::Rejected.into()),
            Err(AssertionError::Cloned) => {
                tracing::warn!(username = %account.username, "a passkey's counter went back: there may be a copy of it");
                self.tell_about(
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

    /// The counter goes on, and `ended` is over: of any number at once, one gets in. Another use of the same key
    /// meanwhile (devices that share it do not count) is no reason to refuse this one.
    async fn record_use(
        &self,
        factor: &Factor,
        result: &AuthenticationResult,
        marker: Option<ReplayMarker>,
    ) -> Result<(), AuthError> {
        let (counter, now) = (i64::from(result.counter()), self.0.clock.now());
        let mut factor = factor.clone();
        for _ in 0..MAX_RETRIES {
            let StoredPasskey {
                mut body,
                factor: read,
            } = StoredPasskey::parse(factor)?;
            if marker
                .as_ref()
                .is_some_and(|once| body.ended.contains(once))
            {
                return Err(PasskeyError::CeremonyExpired.into());
            }
            if counter > 0 && counter <= read.counter {
                return Err(PasskeyError::Rejected.into());
            }
            body.passkey.update_credential(result);
            body.ended.retain(|once| now < once.until);
            body.ended.extend(marker.clone());
            if self
                .0
                .store
                .update_factor_if(&read, body.to_json()?, counter, now)
                .await?
            {
                return Ok(());
            }
            factor = self
                .0
                .store
                .factor(&read.id)
                .await?
                .ok_or(PasskeyError::Rejected)?;
        }
        Err(PasskeyError::Rejected.into())
    }

    /// `account` was read before the passkey was: one that was removed while it signed in was removed in time.
    async fn sign_in_account(
        &self,
        account: &Account,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let new_session =
            NewSession::interactive(SessionKind::Web, AuthMethods::of(&METHODS), from);
        let (session, secret) = self
            .create_session(account, new_session)
            .await?
            .ok_or(PasskeyError::Rejected)?;
        let rights = self
            .rights(&account.username)
            .await?
            .ok_or(PasskeyError::Rejected)?;
        Ok(SignedIn {
            caller: self.caller_for(rights, Arc::new(session), AuthVia::Cookie),
            secret,
        })
    }
}
