//! The callback of an upstream provider (`OpenID` Connect Core §3.1.2.5): sign-in, linking and
//! step-up.

use jiff::Timestamp;

use super::{
    Callback, CallbackResult, Provider, authorization::Prompt, identity_of,
    login_state::LoginState, user::UpstreamUser,
};
use crate::{
    Account, AccountStatus, AuthError, AuthMethod, AuthMethods, AuthStore, Caller, Origin,
    SecurityNotice, SessionKind,
    access::policy::AuthVia,
    clock,
    error::{AccessError, SignInError, UpstreamError},
    handles::Upstream,
    session::{
        create::{NewSession, SignedIn},
        mfa_challenge::SignInOutcome,
    },
    store::{Identity, InsertResult},
};

/// How far a provider's clock may be behind ours.
const SKEW: std::time::Duration = std::time::Duration::from_mins(1);

/// A sign-in with a verified ID token.
#[derive(Debug)]
pub(crate) struct VerifiedLogin {
    /// When the user authenticated at the provider.
    pub(crate) proved_at: Timestamp,
    /// When the login started here.
    pub(crate) started_at: Timestamp,
    pub(crate) from: Origin,
}

impl<S: AuthStore> Upstream<'_, S> {
    pub(crate) async fn process_callback(
        self,
        provider: &str,
        callback: Callback,
        caller: Option<Caller>,
        from: Origin,
    ) -> Result<CallbackResult, AuthError> {
        let provider = self.provider(provider)?;
        let login_state = self.open_state(&callback, provider)?;
        self.check_issuer(provider, callback.issuer.as_deref())
            .await?;
        if !login_state.may_be_completed_by(caller.as_ref()) {
            return Err(AuthError::Upstream(UpstreamError::StateMismatch));
        }
        let code = callback
            .outcome
            .map_err(|value| AuthError::Upstream(UpstreamError::ProviderRejected(value)))?;
        let verified = self
            .exchange_and_verify(provider, &login_state, &code, &from)
            .await?;
        self.consume_state(&login_state).await?;
        let proved_at = self.authenticated_at(&login_state, &verified.user)?;
        let started_at = login_state.started_at;
        let login = VerifiedLogin {
            proved_at,
            started_at,
            from,
        };
        if login_state.link.is_some() {
            let caller = caller.ok_or(AuthError::Upstream(UpstreamError::StateMismatch))?;
            let user = self.complete_profile(provider, verified).await?;
            return self
                .complete_link(provider, &caller, &user, &login.from)
                .await
                .map(|()| CallbackResult::Returned(login_state.next));
        }
        let Some(identity) = self
            .0
            .core
            .store
            .identity(&provider.issuer, &verified.user.subject)
            .await?
        else {
            let user = self.complete_profile(provider, verified).await?;
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

    /// RFC 9207 §2.4: a provider that supports `iss` must send it, and it must match.
    async fn check_issuer(
        self,
        provider: &Provider,
        issuer: Option<&str>,
    ) -> Result<(), AuthError> {
        let metadata = self.metadata(provider).await?;
        if issuer.map_or(metadata.sends_issuer, |issuer| issuer != provider.issuer) {
            return Err(AuthError::Upstream(UpstreamError::ProviderRejected(
                "a different provider responded".to_owned(),
            )));
        }
        Ok(())
    }

    /// The time of authentication at the provider.
    ///
    /// With `max_age` the provider must send `auth_time` (`OpenID` Connect Core §3.1.2.1). Without
    /// it, the authentication may be old and does not count as a recent sign-in.
    fn authenticated_at(
        self,
        login_state: &LoginState,
        user: &UpstreamUser,
    ) -> Result<Timestamp, AuthError> {
        let (now, refused) = (self.0.core.clock.now(), |why: &str| {
            Err(AuthError::Upstream(UpstreamError::ProviderRejected(
                why.to_owned(),
            )))
        });
        match (login_state.ask, user.auth_time) {
            (Prompt::Login, Some(at)) if at < clock::sub(login_state.started_at, SKEW) => {
                refused("the provider did not authenticate you again")
            }
            (Prompt::Login, None) => refused("the provider sent no sign-in time"),
            (_, Some(at)) => Ok(at.min(now)),
            (Prompt::Default, None) => Ok(clock::sub(now, self.0.core.settings.step_up.max_age)),
        }
    }

    /// Step-up through the provider: marks the caller's session as recent, as after the password.
    ///
    /// False if the account has a second factor, which is then required too.
    async fn complete_step_up(
        self,
        caller: &Caller,
        identity: &Identity,
        started_at: Timestamp,
    ) -> Result<bool, AuthError> {
        let Ok(caller) = self.0.sessions().revalidate(caller).await else {
            return Ok(false);
        };
        if caller
            .account()
            .epoch
            .changed_between(started_at, self.0.core.clock.now())
        {
            return Ok(false);
        }
        if caller.via() != AuthVia::Cookie
            || self
                .0
                .factors()
                .factor_kinds(&identity.username)
                .await?
                .is_enrolled()
        {
            return Ok(false);
        }
        self.0
            .core
            .store
            .touch_identity(&identity.issuer, &identity.subject, self.0.core.clock.now())
            .await?;
        self.0
            .sessions()
            .mark_recent(&caller, AuthMethods::of(&[AuthMethod::Upstream]))
            .await?;
        Ok(true)
    }

    pub(crate) async fn sign_in_linked(
        self,
        identity: &Identity,
        login: VerifiedLogin,
    ) -> Result<SignInOutcome, AuthError> {
        let known = self.0.core.store.credentials(&identity.username).await?;
        let known = known.filter(|known| known.account.status == AccountStatus::Active);
        let known = known.ok_or_else(|| {
            AuthError::Upstream(UpstreamError::ProviderRejected(
                "this account is not active".to_owned(),
            ))
        })?;
        // The link is checked after the account was read. An unlink from here on changes the
        // security epoch.
        let linked = self
            .0
            .core
            .store
            .identity(&identity.issuer, &identity.subject)
            .await?;
        if linked.is_none_or(|linked| linked.username != identity.username) {
            return Err(AuthError::Upstream(UpstreamError::IdentityNotLinked));
        }
        // No sign-in method works until a reset link has set a new password.
        if known.account.must_change_password {
            return Err(AuthError::SignIn(SignInError::PasswordChangeRequired));
        }
        // A login that started before all sessions were revoked is invalid.
        if known
            .account
            .epoch
            .changed_between(login.started_at, self.0.core.clock.now())
        {
            return Err(AuthError::SignIn(SignInError::SignInExpired));
        }
        self.0
            .core
            .store
            .touch_identity(&identity.issuer, &identity.subject, self.0.core.clock.now())
            .await?;
        // The provider's own second factor is not trusted, because `amr` has no common meaning.
        // Ours is required.
        if self
            .0
            .factors()
            .factor_kinds(&identity.username)
            .await?
            .is_enrolled()
        {
            let first = AuthMethods::of(&[AuthMethod::Upstream]);
            return self
                .0
                .factors()
                .start_mfa_since(&known, first, Some(login.proved_at))
                .await
                .map(SignInOutcome::MfaRequired);
        }
        self.complete_sign_in(&known.account, login)
            .await
            .map(SignInOutcome::Complete)
    }

    pub(crate) async fn complete_sign_in(
        self,
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
        // `None`: a second factor was enrolled, or all sessions were revoked, since the account was
        // read.
        let signed_in = self.0.sessions().start(account, new_session).await?;
        Ok(signed_in.ok_or(SignInError::SignInExpired)?)
    }

    /// Links the identity. The caller is checked again, because the session may have ended during
    /// the requests to the provider.
    async fn complete_link(
        self,
        provider: &Provider,
        caller: &Caller,
        user: &UpstreamUser,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let epoch = caller.account().epoch;
        let caller = self
            .0
            .sessions()
            .revalidate(caller)
            .await
            .map_err(|error| match error {
                AuthError::Access(AccessError::InvalidToken) => {
                    AuthError::Upstream(UpstreamError::StateMismatch)
                }
                other => other,
            })?;
        let (account, identity) = (caller.account(), identity_of(provider, user));
        let known = self
            .0
            .core
            .store
            .identity(&identity.issuer, &identity.subject)
            .await?;
        if known.is_some_and(|known| known.username == account.username) {
            return Ok(());
        }
        let by = caller.actor().with_origin(from);
        match self
            .0
            .core
            .store
            .link_identity(by, epoch, identity, self.0.core.clock.now())
            .await?
        {
            Some(InsertResult::Inserted) => {
                self.0
                    .mail()
                    .audit_and_notify_about(
                        account,
                        SecurityNotice::ProviderLinked,
                        &provider.name,
                        from,
                    )
                    .await
            }
            Some(InsertResult::Duplicate) => {
                Err(AuthError::Upstream(UpstreamError::IdentityLinkedElsewhere))
            }
            None => Err(AuthError::Upstream(UpstreamError::StateMismatch)),
        }
    }
}
