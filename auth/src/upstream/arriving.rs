//! Back from a provider, with somebody whom it vouches for.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    CallbackResult, Callback, UpstreamUser, Provider, identity_of,
    protocol::Prompt,
    voyage::{LinkTarget, LoginState},
};
use crate::{
    Account, Auth, AuthError, AuthStore, Caller, AuthMethod, AuthMethods, SecurityNotice, Origin, SessionKind,
    AccountStatus,
    auth::SignedIn,
    beginning::NewSession,
    clock,
    policy::AuthVia,
    second_step::SignInOutcome,
    store::{Identity, InsertResult},
};

/// How far a provider's clock may be behind ours.
const SKEW: std::time::Duration = std::time::Duration::from_mins(1);

/// A sign-in that a provider vouches for.
#[derive(Debug)]
pub(super) struct VerifiedLogin {
    /// When its owner proved to the provider who they are.
    pub(super) proved_at: Timestamp,
    /// When it began here.
    pub(super) departed_at: Timestamp,
    pub(super) from: Origin,
}

impl<S: AuthStore> Auth<S> {
    pub(super) async fn process_callback(
        &self,
        provider: &str,
        callback: Callback,
        caller: Option<Caller>,
        from: Origin,
    ) -> Result<CallbackResult, AuthError> {
        let provider = self.provider(provider)?;
        let voyage = self.open_state(&callback, provider)?;
        let says_who = self
            .metadata(provider)
            .await?
            .additional_metadata()
            .authorization_response_iss_parameter_supported;
        // RFC 9207 §2.4: whoever always says it, and says nothing now, has not sent this.
        if callback
            .issuer
            .as_ref()
            .map_or(says_who, |issuer| *issuer != provider.issuer)
        {
            return Err(AuthError::ProviderRefused(
                "a different provider responded".to_owned(),
            ));
        }
        // Whoever joins accounts is still signed in as when they began it, and has thrown nothing out meanwhile.
        let is = |caller: &Caller, joining: &LinkTarget| LinkTarget::of(caller) == *joining;
        if voyage
            .link
            .as_ref()
            .is_some_and(|joining| !caller.as_ref().is_some_and(|caller| is(caller, joining)))
        {
            return Err(AuthError::StateMismatch);
        }
        let code = callback.outcome.map_err(AuthError::ProviderRefused)?;
        let person = self.exchange_and_verify(provider, &voyage, code, &from).await?;
        self.consume_state(&voyage).await?;
        let (proved_at, departed_at) = (self.proved_at(&voyage, &person)?, voyage.started_at);
        let arriving = VerifiedLogin {
            proved_at,
            departed_at,
            from,
        };
        if voyage.link.is_some() {
            let caller = caller.ok_or(AuthError::StateMismatch)?;
            return self
                .complete_link(provider, &caller, &person, &arriving.from)
                .await
                .map(|()| CallbackResult::Returned(voyage.next));
        }
        let Some(identity) = self
            .0
            .store
            .identity(&provider.issuer, &person.subject)
            .await?
        else {
            let step = self.provision_account(provider, &person, arriving).await?;
            return Ok(CallbackResult::SignedIn {
                step,
                next: voyage.next,
            });
        };
        let own = caller.filter(|caller| {
            voyage.ask == Prompt::Login && caller.account().username == identity.username
        });
        if let Some(caller) = own
            && self.complete_step_up(&caller, &identity, departed_at).await?
        {
            return Ok(CallbackResult::Returned(voyage.next));
        }
        let step = self.sign_in_linked(&identity, arriving).await?;
        Ok(CallbackResult::SignedIn {
            step,
            next: voyage.next,
        })
    }

    /// A provider that was to ask again has to say that it did (`OpenID` Connect Core §3.1.2.1: with `max_age` it always
    /// says). One that was not may have known the browser from long ago: where it doesn't say, that is no recent sign-in.
    fn proved_at(&self, voyage: &LoginState, person: &UpstreamUser) -> Result<Timestamp, AuthError> {
        let (now, refused) = (self.0.clock.now(), |why: &str| {
            Err(AuthError::ProviderRefused(why.to_owned()))
        });
        match (voyage.ask, person.auth_time) {
            (Prompt::Login, Some(at)) if at < clock::sub(voyage.started_at, SKEW) => {
                refused("the provider did not authenticate you again")
            }
            (Prompt::Login, None) => refused("the provider sent no sign-in time"),
            (_, Some(at)) => Ok(at.min(now)),
            (Prompt::Default, None) => Ok(clock::sub(now, self.0.settings.step_up.within)),
        }
    }

    /// Whoever is signed in here has just shown the provider that it is still them: their session goes on, as after
    /// their password. Where they have a second factor, that is due as well: false.
    async fn complete_step_up(
        &self,
        caller: &Caller,
        identity: &Identity,
        departed_at: Timestamp,
    ) -> Result<bool, AuthError> {
        let Ok(caller) = self.revalidate(caller).await else {
            return Ok(false);
        };
        if caller
            .account()
            .epoch
            .changed_between(departed_at, self.0.clock.now())
        {
            return Ok(false);
        }
        if caller.via() != AuthVia::Cookie || self.factor_kinds(&identity.username).await?.is_enrolled()
        {
            return Ok(false);
        }
        self.0
            .store
            .identity_used(&identity.issuer, &identity.subject, self.0.clock.now())
            .await?;
        self.mark_recent(&caller, AuthMethods::of(&[AuthMethod::Upstream]))
            .await?;
        Ok(true)
    }

    pub(super) async fn sign_in_linked(
        &self,
        identity: &Identity,
        arriving: VerifiedLogin,
    ) -> Result<SignInOutcome, AuthError> {
        let known = self.0.store.credentials(&identity.username).await?;
        let known = known.filter(|known| known.account.standing == AccountStatus::Active);
        let known = known
            .ok_or_else(|| AuthError::ProviderRefused("this account is not active".to_owned()))?;
        // Joined it was when it was looked up; whoever takes it away from here on begins a new era.
        let joined = self
            .0
            .store
            .identity(&identity.issuer, &identity.subject)
            .await?;
        if joined.is_none_or(|joined| joined.username != identity.username) {
            return Err(AuthError::IdentityNotLinked);
        }
        // Nobody comes in before a link has set a new password, whatever way they come.
        if known.account.must_change_password {
            return Err(AuthError::ResetRequired);
        }
        // What was begun before everything was thrown out is void.
        if known
            .account
            .epoch
            .changed_between(arriving.departed_at, self.0.clock.now())
        {
            return Err(AuthError::SignInExpired);
        }
        self.0
            .store
            .identity_used(&identity.issuer, &identity.subject, self.0.clock.now())
            .await?;
        // What the provider says of second factors of its own means something else everywhere: ours is asked for.
        if self.factor_kinds(&identity.username).await?.is_enrolled() {
            let first = AuthMethods::of(&[AuthMethod::Upstream]);
            return self
                .start_mfa_since(&known, first, Some(arriving.proved_at))
                .await
                .map(SignInOutcome::MfaRequired);
        }
        self.complete_sign_in(&known.account, arriving)
            .await
            .map(SignInOutcome::Complete)
    }

    pub(super) async fn complete_sign_in(
        &self,
        account: &Account,
        arriving: VerifiedLogin,
    ) -> Result<SignedIn, AuthError> {
        let VerifiedLogin {
            proved_at, from, ..
        } = arriving;
        let methods = AuthMethods::of(&[AuthMethod::Upstream]);
        let beginning = NewSession {
            auth_time: Some(proved_at),
            ..NewSession::interactive(SessionKind::Web, methods, from)
        };
        // While we were asking, a second factor was set up, or everything of the account was thrown out.
        let (session, secret) = self
            .create_session(account, beginning)
            .await?
            .ok_or(AuthError::SignInExpired)?;
        let rights = self
            .rights(&account.username)
            .await?
            .ok_or(AuthError::IdentityNotLinked)?;
        Ok(SignedIn {
            caller: self.caller_for(rights, Arc::new(session), AuthVia::Cookie),
            secret,
        })
    }

    /// The provider took its time: whoever was signed out meanwhile joins nothing.
    async fn complete_link(
        &self,
        provider: &Provider,
        caller: &Caller,
        person: &UpstreamUser,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let era = caller.account().epoch;
        let caller = self.revalidate(caller).await.map_err(|error| match error {
            AuthError::InvalidToken => AuthError::StateMismatch,
            other => other,
        })?;
        let (account, identity) = (caller.account(), identity_of(provider, person));
        let known = self
            .0
            .store
            .identity(&identity.issuer, &identity.subject)
            .await?;
        if known.is_some_and(|known| known.username == account.username) {
            return Ok(());
        }
        let by = caller.actor().with_origin(from);
        match self
            .0
            .store
            .link_identity(by, era, identity, self.0.clock.now())
            .await?
        {
            Some(InsertResult::Inserted) => {
                self.tell_about(account, SecurityNotice::ProviderLinked, &provider.name, from)
                    .await
            }
            Some(InsertResult::Duplicate) => Err(AuthError::AlreadyLinked),
            None => Err(AuthError::StateMismatch),
        }
    }
}
