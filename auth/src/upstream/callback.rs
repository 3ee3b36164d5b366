//! Back from a provider, with somebody whom it vouches for.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Callback, CallbackResult, Provider, UpstreamUser, identity_of,
    login_state::{LinkTarget, LoginState},
    protocol::Prompt,
};
use crate::{
    Account, AccountStatus, Auth, AuthError, AuthMethod, AuthMethods, AuthStore, Caller, Origin,
    SecurityNotice, SessionKind,
    access::policy::AuthVia,
    clock,
    service::SignedIn,
    session::{create::NewSession, mfa_challenge::SignInOutcome},
    store::{Identity, InsertResult},
};

/// How far a provider's clock may be behind ours.
const SKEW: std::time::Duration = std::time::Duration::from_mins(1);

/// A sign-in that a provider vouches for.
#[derive(Debug)]
pub(crate) struct VerifiedLogin {
    /// When its owner proved to the provider who they are.
    pub(crate) proved_at: Timestamp,
    /// When it began here.
    pub(crate) started_at: Timestamp,
    pub(crate) from: Origin,
}

impl<S: AuthStore> Auth<S> {
    pub(crate) async fn process_callback(
        &self,
        provider: &str,
        callback: Callback,
        caller: Option<Caller>,
        from: Origin,
    ) -> Result<CallbackResult, AuthError> {
        let provider = self.provider(provider)?;
        let login_state = self.open_state(&callback, provider)?;
        let iss_param_required = self
            .metadata(provider)
            .await?
            .additional_metadata()
            .authorization_response_iss_parameter_supported;
        // RFC 9207 §2.4: whoever always says it, and says nothing now, has not sent this.
        if callback
            .issuer
            .as_ref()
            .map_or(iss_param_required, |issuer| *issuer != provider.issuer)
        {
            return Err(AuthError::ProviderRejected(
                "a different provider responded".to_owned(),
            ));
        }
        // Whoever joins accounts is still signed in as when they began it, and has thrown nothing out meanwhile.
        let is = |caller: &Caller, target: &LinkTarget| LinkTarget::of(caller) == *target;
        if login_state
            .link
            .as_ref()
            .is_some_and(|target| !caller.as_ref().is_some_and(|caller| is(caller, target)))
        {
            return Err(AuthError::StateMismatch);
        }
        let code = callback.outcome.map_err(AuthError::ProviderRejected)?;
        let user = self
            .exchange_and_verify(provider, &login_state, code, &from)
            .await?;
        self.consume_state(&login_state).await?;
        let (proved_at, started_at) = (
            self.authenticated_at(&login_state, &user)?,
            login_state.started_at,
        );
        let login = VerifiedLogin {
            proved_at,
            started_at,
            from,
        };
        if login_state.link.is_some() {
            let caller = caller.ok_or(AuthError::StateMismatch)?;
            return self
                .complete_link(provider, &caller, &user, &login.from)
                .await
                .map(|()| CallbackResult::Returned(login_state.next));
        }
        let Some(identity) = self
            .0
            .store
            .identity(&provider.issuer, &user.subject)
            .await?
        else {
            let step = self.provision_account(provider, &user, login).await?;
            return Ok(CallbackResult::SignedIn {
                step,
                next: login_state.next,
            });
        };
        let own = caller.filter(|caller| {
            login_state.ask == Prompt::Login && caller.account().username == identity.username
        });
        if let Some(caller) = own
            && self
                .complete_step_up(&caller, &identity, started_at)
                .await?
        {
            return Ok(CallbackResult::Returned(login_state.next));
        }
        let step = self.sign_in_linked(&identity, login).await?;
        Ok(CallbackResult::SignedIn {
            step,
            next: login_state.next,
        })
    }

    /// A provider that was to ask again has to say that it did (`OpenID` Connect Core §3.1.2.1: with `max_age` it always
    /// says). One that was not may have known the browser from long ago: where it doesn't say, that is no recent sign-in.
    fn authenticated_at(
        &self,
        login_state: &LoginState,
        user: &UpstreamUser,
    ) -> Result<Timestamp, AuthError> {
        let (now, refused) = (self.0.clock.now(), |why: &str| {
            Err(AuthError::ProviderRejected(why.to_owned()))
        });
        match (login_state.ask, user.auth_time) {
            (Prompt::Login, Some(at)) if at < clock::sub(login_state.started_at, SKEW) => {
                refused("the provider did not authenticate you again")
            }
            (Prompt::Login, None) => refused("the provider sent no sign-in time"),
            (_, Some(at)) => Ok(at.min(now)),
            (Prompt::Default, None) => Ok(clock::sub(now, self.0.settings.step_up.max_age)),
        }
    }

    /// Whoever is signed in here has just shown the provider that it is still them: their session goes on, as after
    /// their password. Where they have a second factor, that is due as well: false.
    async fn complete_step_up(
        &self,
        caller: &Caller,
        identity: &Identity,
        started_at: Timestamp,
    ) -> Result<bool, AuthError> {
        let Ok(caller) = self.revalidate(caller).await else {
            return Ok(false);
        };
        if caller
            .account()
            .epoch
            .changed_between(started_at, self.0.clock.now())
        {
            return Ok(false);
        }
        if caller.via() != AuthVia::Cookie
            || self.factor_kinds(&identity.username).await?.is_enrolled()
        {
            return Ok(false);
        }
        self.0
            .store
            .touch_identity(&identity.issuer, &identity.subject, self.0.clock.now())
            .await?;
        self.mark_recent(&caller, AuthMethods::of(&[AuthMethod::Upstream]))
            .await?;
        Ok(true)
    }

    pub(crate) async fn sign_in_linked(
        &self,
        identity: &Identity,
        login: VerifiedLogin,
    ) -> Result<SignInOutcome, AuthError> {
        let known = self.0.store.credentials(&identity.username).await?;
        let known = known.filter(|known| known.account.status == AccountStatus::Active);
        let known = known
            .ok_or_else(|| AuthError::ProviderRejected("this account is not active".to_owned()))?;
        // Joined it was when it was looked up; whoever takes it away from here on begins a new era.
        let linked = self
            .0
            .store
            .identity(&identity.issuer, &identity.subject)
            .await?;
        if linked.is_none_or(|linked| linked.username != identity.username) {
            return Err(AuthError::IdentityNotLinked);
        }
        // Nobody comes in before a link has set a new password, whatever way they come.
        if known.account.must_change_password {
            return Err(AuthError::PasswordChangeRequired);
        }
        // What was begun before everything was thrown out is void.
        if known
            .account
            .epoch
            .changed_between(login.started_at, self.0.clock.now())
        {
            return Err(AuthError::SignInExpired);
        }
        self.0
            .store
            .touch_identity(&identity.issuer, &identity.subject, self.0.clock.now())
            .await?;
        // What the provider says of second factors of its own means something else everywhere: ours is asked for.
        if self.factor_kinds(&identity.username).await?.is_enrolled() {
            let first = AuthMethods::of(&[AuthMethod::Upstream]);
            return self
                .start_mfa_since(&known, first, Some(login.proved_at))
                .await
                .map(SignInOutcome::MfaRequired);
        }
        self.complete_sign_in(&known.account, login)
            .await
            .map(SignInOutcome::Complete)
    }

    pub(crate) async fn complete_sign_in(
        &self,
        account: &Account,
        login: VerifiedLogin,
    ) -> Result<SignedIn, AuthError> {
        let VerifiedLogin {
            proved_at, from, ..
        } = login;
        let methods = AuthMethods::of(&[AuthMethod::Upstream]);
        let new_session = NewSession {
            auth_time: Some(proved_at),
            ..NewSession::interactive(SessionKind::Web, methods, from)
        };
        // While we were asking, a second factor was set up, or everything of the account was thrown out.
        let (session, secret) = self
            .create_session(account, new_session)
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
        user: &UpstreamUser,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let epoch = caller.account().epoch;
        let caller = self.revalidate(caller).await.map_err(|error| match error {
            AuthError::InvalidToken => AuthError::StateMismatch,
            other => other,
        })?;
        let (account, identity) = (caller.account(), identity_of(provider, user));
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
            .link_identity(by, epoch, identity, self.0.clock.now())
            .await?
        {
            Some(InsertResult::Inserted) => {
                self.tell_about(
                    account,
                    SecurityNotice::ProviderLinked,
                    &provider.name,
                    from,
                )
                .await
            }
            Some(InsertResult::Duplicate) => Err(AuthError::IdentityLinkedElsewhere),
            None => Err(AuthError::StateMismatch),
        }
    }
}
