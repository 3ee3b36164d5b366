//! What is proved with a passkey: who signs in, and that it is still the same person. Whatever is wrong with one is
//! answered alike. A key cannot be guessed, and its id is no secret: who fails with somebody's passkey must not lock them
//! out, so only the address is charged, and only once the signature has turned out to be wrong.

use std::sync::Arc;

use webauthn_rs::prelude::AuthenticationResult;

use super::PasskeyError;
use super::{
    PasskeyResponse, PasskeyChallenge, Stored,
    ceremony::{CeremonyState, CeremonyBinding, ReplayMarker, PendingPasskeySignIn},
    factor_id,
    party::{AssertionError, Assertion},
};
use crate::{
    Account, Auth, AuthError, AuthStore, Factor, FactorKind, AuthMethod, AuthMethods, SecurityNotice, Origin,
    SessionKind, AccountStatus, Token, TokenKind, Username, auth::SignedIn, beginning::NewSession,
    guessing::CredentialKind, policy::AuthVia,
};

/// The device has checked its user: possession and knowledge (or a body) at once.
pub(super) const METHODS: [AuthMethod; 2] = [AuthMethod::Passkey, AuthMethod::UserVerified];

/// Who meets others at the same key so often gives up.
const TRIES: usize = 5;

impl<S: AuthStore> Auth<S> {
    /// The same for everybody, whoever may be about to sign in: there is no name to try. The answer is good together
    /// with the token, which is for the browser to keep; `browser` is the one that it kept from an earlier time.
    ///
    /// # Errors
    /// [`PasskeyError::Unavailable`].
    pub fn start_sign_in(&self, browser: Option<Token>) -> Result<(PasskeyChallenge, Token), AuthError> {
        let browser = browser.unwrap_or_else(|| Token::random(TokenKind::Flow, &self.0.rng));
        let (options, state) = self.party()?.start_discoverable()?;
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
        answered: PasskeyResponse<'_>,
        browser: &Token,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let shown = Assertion::read(answered.credential)?;
        let sign_in = self.open_sign_in(answered.ceremony, browser)?;
        // Found without a name, so it has to say whose it is.
        let stored = self
            .passkey_of(&shown)
            .await?
            .filter(|stored| shown.names(stored.kept.handle) == Some(true));
        let entered = match &stored {
            Some(stored) => self.complete_passkey(&shown, sign_in, stored, &from).await,
            None => Err(PasskeyError::Refused.into()),
        };
        if let Err(AuthError::Passkey(PasskeyError::Refused)) = entered {
            let whose = stored.as_ref().map(|stored| &stored.factor.username);
            self.penalize(CredentialKind::Passkey, &from, whose).await?;
        }
        entered
    }

    async fn complete_passkey(
        &self,
        shown: &Assertion,
        PendingPasskeySignIn { once, state }: PendingPasskeySignIn,
        stored: &Stored,
        from: &Origin,
    ) -> Result<SignedIn, AuthError> {
        // Before the counter is looked at: the same again is no copy of the key.
        if stored.kept.ended.contains(&once) {
            return Err(PasskeyError::CeremonyExpired.into());
        }
        let checked = self.party()?.finish_discoverable(shown, state, &stored.kept.passkey);
        let (account, result) = self.check_clone(stored, checked, from).await?;
        if account.epoch.changed_between(once.began(), self.0.clock.now()) {
            return Err(PasskeyError::CeremonyExpired.into());
        }
        // Nobody comes in before a link has set a new password, whatever way they come.
        if account.must_change_password {
            return Err(AuthError::ResetRequired);
        }
        self.record_use(&stored.factor, &result, Some(once)).await?;
        self.sign_in_account(&account, from.clone()).await
    }

    /// Any of somebody's own, to prove that it is them.
    ///
    /// # Errors
    /// [`PasskeyError::NoneSuch`] where they have none.
    pub(crate) async fn start_assertion(
        &self,
        of: &Username,
        bound: CeremonyBinding,
    ) -> Result<PasskeyChallenge, AuthError> {
        let party = self.party()?;
        let known: Vec<_> = self
            .stored_passkeys(of)
            .await?
            .into_iter()
            .map(|stored| stored.kept.passkey)
            .collect();
        if known.is_empty() {
            return Err(PasskeyError::NotRegistered.into());
        }
        let (options, state) = party.start_authentication(&known)?;
        let ceremony = self.store_ceremony(bound, of, CeremonyState::Prove(state)).await?;
        Ok(PasskeyChallenge { ceremony, options })
    }

    /// What `of` has proved with it.
    ///
    /// # Errors
    /// As [`sign_in_with_passkey`](Self::sign_in_with_passkey).
    pub(crate) async fn finish_assertion(
        &self,
        of: &Username,
        answered: PasskeyResponse<'_>,
        bound: &CeremonyBinding,
        from: &Origin,
    ) -> Result<AuthMethods, AuthError> {
        let shown = Assertion::read(answered.credential)?;
        let CeremonyState::Prove(state) = self.consume_ceremony(answered.ceremony, bound).await? else {
            return Err(PasskeyError::CeremonyExpired.into());
        };
        let is_theirs = |stored: &Stored| {
            stored.factor.username == *of && shown.names(stored.kept.handle) != Some(false)
        };
        let stored = self.passkey_of(&shown).await?.filter(is_theirs);
        let judged = match &stored {
            Some(stored) => {
                self.is_still_registered(stored, self.party()?.finish_authentication(&shown, &state), from)
                    .await
            }
            None => Err(PasskeyError::Refused.into()),
        };
        if let Err(AuthError::Passkey(PasskeyError::Refused)) = judged {
            self.penalize(CredentialKind::Passkey, from, Some(of)).await?;
        }
        judged.map(|()| AuthMethods::of(&METHODS))
    }

    async fn passkey_of(&self, shown: &Assertion) -> Result<Option<Stored>, AuthError> {
        let factor = self.0.store.factor(&factor_id(shown.id())).await?;
        factor
            .filter(|factor| factor.kind == FactorKind::Passkey)
            .map(Stored::read)
            .transpose()
    }

    async fn is_still_registered(
        &self,
        stored: &Stored,
        checked: Result<AuthenticationResult, AssertionError>,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let (_, result) = self.check_clone(stored, checked, from).await?;
        self.record_use(&stored.factor, &result, None).await
    }

    /// The owner, if all is well.
    async fn check_clone(
        &self,
        stored: &Stored,
        checked: Result<AuthenticationResult, AssertionError>,
        from: &Origin,
    ) -> Result<(Account, AuthenticationResult), AuthError> {
        let known = self.0.store.credentials(&stored.factor.username).await?;
        let account = known
            .map(|known| known.account)
            .filter(|account| account.standing == AccountStatus::Active);
        let account = account.ok_or(PasskeyError::Refused)?;
        match checked {
            Ok(result) if result.user_verified() => Ok((account, result)),
            Ok(_) | Err(AssertionError::Wrong) => Err(PasskeyError::Refused.into()),
            Err(AssertionError::Cloned) => {
                tracing::warn!(username = %account.username, "a passkey's counter went back: there may be a copy of it");
                self.tell_about(&account, SecurityNotice::PasskeyCopied, &stored.factor.name, from)
                    .await?;
                Err(PasskeyError::Refused.into())
            }
        }
    }

    /// The counter goes on, and `ended` is over: of any number at once, one gets in. Another use of the same key
    /// meanwhile (devices that share it do not count) is no reason to refuse this one.
    async fn record_use(
        &self,
        factor: &Factor,
        result: &AuthenticationResult,
        ended: Option<ReplayMarker>,
    ) -> Result<(), AuthError> {
        let (counter, now) = (i64::from(result.counter()), self.0.clock.now());
        let mut factor = factor.clone();
        for _ in 0..TRIES {
            let Stored {
                mut kept,
                factor: read,
            } = Stored::read(factor)?;
            if ended.as_ref().is_some_and(|once| kept.ended.contains(once)) {
                return Err(PasskeyError::CeremonyExpired.into());
            }
            if counter > 0 && counter <= read.counter {
                return Err(PasskeyError::Refused.into());
            }
            kept.passkey.update_credential(result);
            kept.ended.retain(|once| now < once.until);
            kept.ended.extend(ended.clone());
            if self
                .0
                .store
                .update_factor_if(&read, kept.write()?, counter, now)
                .await?
            {
                return Ok(());
            }
            factor = self
                .0
                .store
                .factor(&read.id)
                .await?
                .ok_or(PasskeyError::Refused)?;
        }
        Err(PasskeyError::Refused.into())
    }

    /// `account` was read before the passkey was: one that was removed while it signed in was removed in time.
    async fn sign_in_account(&self, account: &Account, from: Origin) -> Result<SignedIn, AuthError> {
        let beginning = NewSession::interactive(SessionKind::Web, AuthMethods::of(&METHODS), from);
        let (session, secret) = self
            .create_session(account, beginning)
            .await?
            .ok_or(PasskeyError::Refused)?;
        let rights = self
            .rights(&account.username)
            .await?
            .ok_or(PasskeyError::Refused)?;
        Ok(SignedIn {
            caller: self.caller_for(rights, Arc::new(session), AuthVia::Cookie),
            secret,
        })
    }
}
